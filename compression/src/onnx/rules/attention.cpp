// Attention that PyTorch computes in one operator.
#include <cmath>
#include <limits>
#include <string>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include "onnx/rules/compositions.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// Adds a mask to the scores; a bool mask says what may be looked at.
std::string masked(OpCall& call, const std::string& scores, const at::Tensor& mask, at::ScalarType type) {
  if (mask.scalar_type() != at::kBool) return call.add("Add", {scores, call.name(mask)});
  const std::string barred = call.scalar(-std::numeric_limits<float>::infinity(), type);
  return call.add("Where", {call.name(mask), scores, barred});
}

at::Tensor causal_mask(OpCall& call, const at::Tensor& query, const at::Tensor& key) {
  const std::int64_t rows = call.fixed_size(query, query.dim() - 2);
  return at::tril(at::ones({rows, call.fixed_size(key, key.dim() - 2)}, at::kBool));
}

/// softmax(q k^T / sqrt(d)) v (Vaswani et al., 2017).
void scaled_dot_product(OpCall& call) {
  const at::Tensor query = call.required(call.has("query") ? "query" : "query_");
  const at::Tensor key = call.required("key");
  const auto type = query.scalar_type();
  if (call.has("dropout_p") && call.number("dropout_p") != 0) throw Unsupported("it drops out although in eval mode");
  const double scale =
      call.has("scale") ? call.number("scale") : 1 / std::sqrt(call.fixed_size(query, query.dim() - 1));
  const std::string scaled = call.add("Mul", {call.name(query), call.scalar(scale, type)});
  std::string scores = call.add("MatMul", {scaled, call.transposed(key)});
  if (call.tensor("attn_mask").defined()) scores = masked(call, scores, call.tensor("attn_mask"), type);
  if (call.flag("is_causal")) scores = masked(call, scores, causal_mask(call, query, key), type);
  const std::string weights = call.add("Softmax", {scores}, {{"axis", -1}});
  call.out(call.add("MatMul", {weights, call.in("value")}));
  if (call.result_count() > 1 && call.result(1).defined()) call.out(weights, 1);
}

/// A projection of `x` by rows of a weight.
std::string project(OpCall& call, const std::string& x, const at::Tensor& weight, const at::Tensor& bias) {
  return call.add("Add", {call.add("MatMul", {x, call.transposed(weight)}), call.name(bias)});
}

/// batch x length x (heads * width) to batch x heads x length x width.
std::string by_head(OpCall& call, const std::string& x, std::int64_t heads, std::int64_t width) {
  return call.transpose(call.add("Reshape", {x, call.ints({0, 0, heads, width})}), {0, 2, 1, 3});
}

/// What a multi-head attention reads of one operator's arguments.
struct Heads {
  std::int64_t count;
  std::int64_t width;
};

std::string self_attention(OpCall& call, const std::string& x, const at::Tensor& qkv_weight, const at::Tensor& qkv_bias,
                           const Heads& heads) {
  const std::int64_t size = heads.count * heads.width;
  const auto type = qkv_weight.scalar_type();
  const auto parts = call.graph().add_many(
      "Split", {project(call, x, qkv_weight, qkv_bias), call.ints({size, size, size})}, 3, {{"axis", 2}});
  const std::string query = call.add("Mul", {by_head(call, parts[0], heads.count, heads.width),
                                             call.scalar(1 / std::sqrt(static_cast<double>(heads.width)), type)});
  const std::string key = call.transpose(by_head(call, parts[1], heads.count, heads.width), {0, 1, 3, 2});
  const std::string scores = call.add("Softmax", {call.add("MatMul", {query, key})}, {{"axis", -1}});
  const std::string mixed = call.add("MatMul", {scores, by_head(call, parts[2], heads.count, heads.width)});
  return call.add("Reshape", {call.transpose(mixed, {0, 2, 1, 3}), call.ints({0, 0, size})});
}

/// nn.TransformerEncoderLayer in eval mode, when it takes the fast path.
void encoder_layer(OpCall& call) {
  if (call.tensor("mask").defined()) throw Unsupported("its fast path has a mask");
  const at::Tensor src = call.required("src");
  const std::int64_t count = call.integer("num_heads");
  const Heads heads{count, call.integer("embed_dim") / count};
  const auto norm = [&](const std::string& x, const char* weight, const char* bias) {
    return layer_norm(call, x, {src.scalar_type(), 1, call.tensor(weight), call.tensor(bias), call.number("eps")});
  };
  const auto feed_forward = [&](const std::string& x) {
    std::string hidden = project(call, x, call.required("ffn_weight_1"), call.required("ffn_bias_1"));
    hidden = call.flag("use_gelu") ? gelu(call, hidden, src.scalar_type()) : call.add("Relu", {hidden});
    return project(call, hidden, call.required("ffn_weight_2"), call.required("ffn_bias_2"));
  };
  const auto attend = [&](const std::string& x) {
    const std::string mixed = self_attention(call, x, call.required("qkv_weight"), call.required("qkv_bias"), heads);
    return project(call, mixed, call.required("proj_weight"), call.required("proj_bias"));
  };
  std::string x = call.name(src);
  if (call.flag("norm_first")) {
    x = call.add("Add", {x, attend(norm(x, "norm_weight_1", "norm_bias_1"))});
    return call.out(call.add("Add", {x, feed_forward(norm(x, "norm_weight_2", "norm_bias_2"))}));
  }
  x = norm(call.add("Add", {x, attend(x)}), "norm_weight_1", "norm_bias_1");
  call.out(norm(call.add("Add", {x, feed_forward(x)}), "norm_weight_2", "norm_bias_2"));
}

/// nn.MultiheadAttention in eval mode, when query, key and value are one tensor and it takes the fast path.
void native_attention(OpCall& call) {
  const at::Tensor query = call.required("query");
  if (!query.is_same(call.required("key")) || !query.is_same(call.required("value")) || call.tensor("mask").defined()) {
    throw Unsupported("its fast path has a mask, or not one tensor for query, key and value");
  }
  const std::int64_t count = call.integer("num_head");
  const Heads heads{count, call.integer("embed_dim") / count};
  const std::string mixed =
      self_attention(call, call.name(query), call.required("qkv_weight"), call.required("qkv_bias"), heads);
  call.out(project(call, mixed, call.required("proj_weight"), call.required("proj_bias")));
}

}  // namespace

const RuleTable& attention_rules() {
  static const RuleTable table{{"aten::scaled_dot_product_attention", scaled_dot_product},
                               {"aten::_scaled_dot_product_attention", scaled_dot_product},
                               {"aten::_scaled_dot_product_attention_math", scaled_dot_product},
                               {"aten::_transformer_encoder_layer_fwd", encoder_layer},
                               {"aten::_native_multi_head_attention", native_attention}};
  return table;
}

}  // namespace lathe::compression::onnx_out
