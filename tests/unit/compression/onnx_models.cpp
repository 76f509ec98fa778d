#include "onnx_models.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include "models.hpp"

namespace lathe::compression::test_models {
namespace {

using torch::jit::Module;
using Children = std::vector<std::pair<std::string, Module>>;

Module basic_block(Builder& build, std::int64_t in, std::int64_t out, std::int64_t stride) {
  Children children{{"conv1", build.conv2d(in, out, {.stride = stride, .padding = 1, .bias = false})},
                    {"bn1", build.batch_norm2d(out, true)},
                    {"conv2", build.conv2d(out, out, {.padding = 1, .bias = false})},
                    {"bn2", build.batch_norm2d(out, true)}};
  std::string shortcut = "x";
  if (stride != 1 || in != out) {
    children.emplace_back("down", build.conv2d(in, out, {.kernel = 1, .stride = stride, .bias = false}));
    children.emplace_back("down_bn", build.batch_norm2d(out, true));
    shortcut = "self.down_bn.forward(self.down.forward(x))";
  }
  return build.net("BasicBlock", children,
                   "def forward(self, x):\n"
                   "  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                   "  y = self.bn2.forward(self.conv2.forward(y))\n"
                   "  y += " +
                       shortcut +
                       "\n"
                       "  return torch.relu_(y)");
}

/// Inverted bottlenecks of MobileNetV2 and a squeeze-and-excitation gate of V3.
Module mobilenet() {
  Builder build(2);
  const auto inverted = [&](std::int64_t in, std::int64_t wide, std::int64_t stride) {
    return build.net(
        "InvertedResidual",
        {{"expand", build.conv2d(in, wide, {.kernel = 1, .bias = false})},
         {"bn1", build.batch_norm2d(wide, true)},
         {"depthwise", build.conv2d(wide, wide, {.stride = stride, .padding = 1, .groups = wide, .bias = false})},
         {"bn2", build.batch_norm2d(wide, true)},
         {"squeeze", build.conv2d(wide, 4, {.kernel = 1})},
         {"excite", build.conv2d(4, wide, {.kernel = 1})},
         {"project", build.conv2d(wide, in, {.kernel = 1, .bias = false})},
         {"bn3", build.batch_norm2d(in, true)}},
        "def forward(self, x):\n"
        "  y = torch.hardtanh(self.bn1.forward(self.expand.forward(x)), 0., 6.)\n"
        "  y = torch.hardswish(self.bn2.forward(self.depthwise.forward(y)))\n"
        "  s = torch.adaptive_avg_pool2d(y, [1, 1])\n"
        "  s = torch.hardsigmoid(self.excite.forward(torch.relu(self.squeeze.forward(s))))\n"
        "  y = self.bn3.forward(self.project.forward(y * s))\n" +
            std::string(stride == 1 ? "  return x + y" : "  return y"));
  };
  return build.net("MobileNet",
                   {{"stem", build.conv2d(3, 8, {.stride = 2, .padding = 1})},
                    {"block1", inverted(8, 24, 1)},
                    {"block2", inverted(8, 32, 2)},
                    {"classifier", build.linear(8, 10)}},
                   "def forward(self, x):\n"
                   "  x = self.block2.forward(self.block1.forward(torch.hardswish(self.stem.forward(x))))\n"
                   "  x = torch.mean(x, [2, 3])\n"
                   "  return self.classifier.forward(torch.dropout(x, 0.2, self.training))");
}

Module layer_norm(Builder& build, std::int64_t width) {
  return build.norm("torch.nn.modules.normalization.LayerNorm", width,
                    "torch.layer_norm(x, [" + std::to_string(width) + "], self.weight, self.bias, 1e-05)");
}

Module encoder(Builder& build, std::int64_t width, std::int64_t heads) {
  const std::string head = std::to_string(heads);
  return build.net("Encoder",
                   {{"norm1", layer_norm(build, width)},
                    {"qkv", build.linear(width, 3 * width)},
                    {"proj", build.linear(width, width)},
                    {"norm2", layer_norm(build, width)},
                    {"fc1", build.linear(width, 2 * width)},
                    {"fc2", build.linear(2 * width, width)}},
                   "def forward(self, x):\n"
                   "  B, N, C = x.size(0), x.size(1), x.size(2)\n"
                   "  qkv = self.qkv.forward(self.norm1.forward(x))\n"
                   "  qkv = qkv.reshape([B, N, 3, " +
                       head + ", C // " + head +
                       "]).permute([2, 0, 3, 1, 4])\n"
                       "  q, k, v = qkv.unbind(0)\n"
                       "  a = torch.matmul(q, k.transpose(-2, -1)) * ((C // " +
                       head +
                       ") ** -0.5)\n"
                       "  y = torch.matmul(torch.softmax(a, -1), v).transpose(1, 2).reshape([B, N, C])\n"
                       "  x = x + self.proj.forward(y)\n"
                       "  return x + self.fc2.forward(torch.gelu(self.fc1.forward(self.norm2.forward(x))))");
}

/// A vision transformer: patches by convolution, a class token, learnt positions.
Module vit() {
  Builder build(3);
  auto embed = build.conv2d(3, 24, {.kernel = 4, .stride = 4});
  Module net = build.net("ViT",
                         {{"patch", embed},
                          {"block1", encoder(build, 24, 3)},
                          {"block2", encoder(build, 24, 3)},
                          {"norm", layer_norm(build, 24)},
                          {"head", build.linear(24, 10)}},
                         "def forward(self, x):\n"
                         "  x = self.patch.forward(x).flatten(2).transpose(1, 2)\n"
                         "  B = x.size(0)\n"
                         "  token = self.norm.bias.view([1, 1, 24]).expand([B, -1, -1])\n"
                         "  x = torch.cat([token, x], 1)\n"
                         "  x = x + torch.arange(x.size(1)).to(6).unsqueeze(1) * 0.01\n"
                         "  x = self.norm.forward(self.block2.forward(self.block1.forward(x)))\n"
                         "  return self.head.forward(x[:, 0])");
  return net;
}

/// Token and position embeddings, causal attention, logits of every position.
Module language_model() {
  Builder build(4);
  return build.net("LanguageModel",
                   {{"tokens", build.embedding(50, 16)},
                    {"positions", build.embedding(12, 16)},
                    {"q", build.linear(16, 16)},
                    {"k", build.linear(16, 16)},
                    {"v", build.linear(16, 16)},
                    {"norm", layer_norm(build, 16)},
                    {"out", build.linear(16, 50, false)}},
                   "def forward(self, ids):\n"
                   "  T = ids.size(1)\n"
                   "  x = self.tokens.forward(ids) + self.positions.forward(torch.arange(T))\n"
                   "  q, k, v = self.q.forward(x), self.k.forward(x), self.v.forward(x)\n"
                   "  scores = torch.bmm(q, k.transpose(1, 2)) / 4.0\n"
                   "  mask = torch.tril(torch.ones([T, T]))\n"
                   "  scores = scores.masked_fill(mask == 0, float('-inf'))\n"
                   "  x = self.norm.forward(x + torch.bmm(torch.softmax(scores, 2), v))\n"
                   "  return self.out.forward(x)");
}

/// Encoder, bottleneck and decoder with a skip connection.
Module unet() {
  Builder build(5);
  return build.net("UNet",
                   {{"down", build.conv2d(3, 8, {.padding = 1})},
                    {"bottom", build.conv2d(8, 16, {.padding = 1})},
                    {"up", build.conv2d(24, 8, {.padding = 1})},
                    {"out", build.conv2d(8, 2, {.kernel = 1})}},
                   "def forward(self, x):\n"
                   "  d = torch.relu(self.down.forward(x))\n"
                   "  b = torch.relu(self.bottom.forward(torch.max_pool2d(d, [2, 2])))\n"
                   "  u = torch.upsample_bilinear2d(b, [d.size(2), d.size(3)], False, None)\n"
                   "  return self.out.forward(torch.relu(self.up.forward(torch.cat([u, d], 1))))");
}

/// One expression of the input.
OnnxModel expression(const std::string& name, std::vector<std::int64_t> input, const std::string& body) {
  const auto make = [body] {
    Builder build(6);
    const bool lines = body.find("return") != std::string::npos;
    return build.net("Expression", {}, "def forward(self, x):\n  " + (lines ? body : "return " + body));
  };
  return {name, make, std::move(input)};
}

OnnxModel with_weights(const std::string& name, std::vector<std::int64_t> input,
                       std::vector<std::vector<std::int64_t>> shapes, const std::string& body) {
  const auto make = [body, shapes] {
    Builder build(7);
    return build.with_parameters("Weighted", shapes, "def forward(self, x):\n  " + body);
  };
  return {name, make, std::move(input)};
}

void add_activations(std::vector<OnnxModel>& all) {
  for (const char* name :
       {"relu", "relu6", "selu", "celu", "silu", "mish", "hardswish", "hardsigmoid", "sigmoid", "tanh", "softplus",
        "elu", "leaky_relu", "hardtanh", "log_sigmoid", "softshrink", "hardshrink", "gelu"}) {
    all.push_back(expression(name, {2, 3, 5}, "torch." + std::string(name) + "(x)"));
  }
  all.push_back(expression("gelu_tanh", {2, 7}, "torch.gelu(x, approximate='tanh')"));
  all.push_back(expression("celu_alpha", {2, 7}, "torch.celu(x, 0.5)"));
  all.push_back(expression("softplus_beta", {2, 7}, "torch.softplus(x * 10, 2, 1.)"));
  all.push_back(expression("threshold", {2, 7}, "torch.threshold(x, 0.1, 20)"));
  all.push_back(expression("glu", {2, 6, 4}, "torch.glu(x, 1)"));
  all.push_back(expression("softmax", {2, 3, 5}, "torch.softmax(x, 1)"));
  all.push_back(expression("log_softmax", {2, 3, 5}, "torch.log_softmax(x, -1)"));
  all.push_back(with_weights("prelu", {2, 3, 4, 4}, {{3}}, "return torch.prelu(x, self.p0)"));
  all.push_back(with_weights("prelu_one", {2, 3, 4, 4}, {{1}}, "return torch.prelu(x, self.p0)"));
}

void add_arithmetic(std::vector<OnnxModel>& all) {
  const auto add = [&](const char* name, const char* body) { all.push_back(expression(name, {2, 3, 4}, body)); };
  add("add_scalar", "x + 2");
  add("add_alpha", "torch.add(x, x * 2, alpha=3)");
  add("sub_rsub", "(1 - x) - (x - 0.5)");
  add("mul_div", "x * 3 / (x.abs() + 1)");
  add("div_floor", "torch.div(x * 10, 3, rounding_mode='floor')");
  add("div_trunc", "torch.div(x * 10, 3, rounding_mode='trunc')");
  add("floor_divide", "torch.floor_divide(x * 10, 3)");
  add("remainder", "torch.remainder(x * 10, 3)");
  add("pow", "x ** 2 + torch.pow(x.abs() + 0.1, 0.5) + torch.pow(2, x)");
  add("roots", "torch.sqrt(x.abs()) + torch.rsqrt(x.abs() + 1)");
  add("exponentials", "torch.exp(x) + torch.log(x.abs() + 1) + torch.log1p(x.abs()) + torch.expm1(x)");
  add("rounding", "torch.floor(x) + torch.ceil(x) * 2 + torch.round(x) * 4 + torch.trunc(x * 3) * 8");
  add("signs", "torch.neg(x) + torch.sign(x) + torch.reciprocal(x.abs() + 1)");
  add("trigonometry", "torch.sin(x) + torch.cos(x) + torch.erf(x)");
  add("clamp", "torch.clamp(x, -0.5, 0.5) + torch.clamp(x, min=0.1) + torch.clamp(x, max=0.3)");
  add("clamp_tensor", "torch.clamp(x, x * 0.5, x * 2)");
  add("extremes", "torch.maximum(x, x * 0.5) + torch.minimum(x, x * 2) + torch.max(x, x * 3)");
  add("addc", "torch.addcmul(x, x, x, value=0.5) + torch.addcdiv(x, x, x.abs() + 1, value=2)");
  add("lerp", "torch.lerp(x, x * 2, 0.3)");
  add("square", "torch.square(x)");
  add("in_place", "y = x * 2\n  y += x\n  y.mul_(3)\n  torch.relu_(y)\n  return y");
  add("mixed_types", "torch.arange(4) * x + torch.arange(4)");
  add("comparisons",
      "((x > 0).to(6) + (x <= 0.5).to(6) + (x == x).to(6) + (x != 0.).to(6) + "
      "(x < x * 2).to(6) + (x >= 1).to(6))");
  add("logic", "((x > 0) & (x < 1) | ~(x > -1)).to(6)");
  add("where", "torch.where(x > 0, x, x * 0.1)");
  add("masked_fill", "x.masked_fill(x > 0.5, -1.)");
  add("batch_number", "x / x.size(0) + x.size(0)");
}

void add_reductions(std::vector<OnnxModel>& all) {
  const auto add = [&](const char* name, const char* body) { all.push_back(expression(name, {2, 3, 4}, body)); };
  add("sum_all", "torch.sum(x)");
  add("sum_dim", "torch.sum(x, [1, 2], True)");
  add("mean_dim", "torch.mean(x, [-1])");
  add("mean_all", "torch.mean(x)");
  add("amax_amin", "torch.amax(x, [1]) + torch.amin(x, [1])");
  add("max_dim", "v, i = torch.max(x, 1)\n  return v + i.to(6)");
  add("max_all", "torch.max(x) - torch.min(x)");
  add("argmax", "torch.argmax(x, 2).to(6)");
  add("variance", "torch.var(x, [1, 2], True, True) + torch.std(x, [1], False, True)");
  add("norms", "torch.norm(x, 2, [1]) + torch.norm(x, 1, [1]) + torch.norm(x, 3, [1])");
  add("logsumexp", "torch.logsumexp(x, [1])");
  add("cumsum", "torch.cumsum(x, 1)");
  add("topk", "v, i = torch.topk(x, 2, 2)\n  return v");
  add("prod", "torch.prod(x, 1)");
  add("any_all", "torch.any(x > 1, 1).to(6) + torch.all(x > -1, 1).to(6)");
}

void add_shapes(std::vector<OnnxModel>& all) {
  const auto add = [&](const char* name, const char* body) { all.push_back(expression(name, {2, 4, 6}, body)); };
  add("view_minus", "x.view([-1, 24])");
  add("view_size", "x.view([x.size(0), 2, 12])");
  add("view_product", "x.reshape([x.size(0) * 4, 6])");
  add("view_there_and_back", "y = x.reshape([x.size(0) * x.size(1), 6])\n  return y.view([x.size(0), 3, 8])");
  add("flatten", "x.flatten(1)");
  add("unflatten", "x.unflatten(1, [2, 2])");
  add("permute", "x.permute([0, 2, 1]).contiguous()");
  add("transpose", "x.transpose(0, 1) * 2");
  add("squeezes", "x.unsqueeze(1).unsqueeze(-1).squeeze(1).squeeze()");
  add("expand", "x.unsqueeze(2).expand([-1, -1, 3, -1])");
  add("expand_constant", "torch.cat([torch.ones([1, 1, 6]).expand([x.size(0), 2, 6]), x], 1)");
  add("repeat", "x.repeat([1, 2, 1]) + x.repeat([1, 1, 2, 1])[0].repeat([1, 1, 1])[:, 0:1, 0:1]");
  add("repeat_interleave", "torch.repeat_interleave(x, 3, 2)");
  add("cat_stack", "torch.stack([torch.cat([x, x * 2], 1), torch.cat([x, x], 1)], 2)");
  add("split", "a, b = torch.split(x, 2, 1)\n  return a * 2 + b");
  add("split_sizes", "a, b = torch.split_with_sizes(x, [2, 4], 2)\n  return torch.cat([b, a], 2)");
  add("chunk", "a, b, c = torch.chunk(x, 3, 2)\n  return a + b * c");
  add("unbind", "a, b, c, d = torch.unbind(x, 1)\n  return a + b * c - d");
  add("select", "x[:, 1] + x[:, -1]");
  add("slice", "x[:, 1:3, ::2] + x[:, -2:, 1:6:2]");
  add("slice_batch", "x[0:x.size(0) - 1]");
  add("narrow", "x.narrow(1, 1, 2)");
  add("index_select", "torch.index_select(x, 1, torch.tensor([2, 0, 0]))");
  add("gather", "torch.gather(x, 2, torch.argsort(x, 2)[:, :, 0:2] * 0 + 1)");
  add("index", "x[:, torch.tensor([0, 3])]");
  add("flip_roll", "torch.flip(x, [1]) + torch.roll(x, [1, -2], [1, 2])");
  add("triangles", "torch.tril(x) - torch.triu(x, 1)");
  add("unfold", "x.unfold(2, 3, 2)");
  add("pads", "torch.constant_pad_nd(x, [1, 2, 0, 1], 0.5)");
  add("pad_reflect", "torch.reflection_pad1d(x, [2, 1])");
  add("pad_replicate", "torch.replication_pad1d(x, [1, 2])");
  add("zeros_like", "torch.zeros_like(x) + torch.ones([x.size(0), 1, 1]) + torch.full([x.size(0), 4, 6], 2.5)");
  add("outputs", "return (x * 2, [x, x + 1])");
  add("movedim", "torch.movedim(x, [2], [1])");
}

void add_images(std::vector<OnnxModel>& all) {
  const auto add = [&](const char* name, const char* body) { all.push_back(expression(name, {2, 4, 7, 9}, body)); };
  add("max_pool", "torch.max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1], False)");
  add("max_pool_ceil", "torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], True)");
  add("max_pool_ceil_padded", "torch.max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1], True)");
  add("max_pool_dilated", "torch.max_pool2d(x, [2, 2], [1, 1], [0, 0], [2, 2], False)");
  add("avg_pool", "torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], False, True)");
  add("avg_pool_exclude", "torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], False, False)");
  add("avg_pool_ceil", "torch.avg_pool2d(x, [3, 2], [2, 2], [1, 1], True, True)");
  add("avg_pool_ceil_exclude", "torch.avg_pool2d(x, [3, 2], [2, 2], [1, 1], True, False)");
  add("avg_pool_divisor", "torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], False, True, 5)");
  add("adaptive_avg_one", "torch.adaptive_avg_pool2d(x, [1, 1])");
  add("adaptive_avg_divides", "torch.adaptive_avg_pool2d(x, [7, 3])");
  add("adaptive_avg_any", "torch.adaptive_avg_pool2d(x, [3, 4])");
  add("adaptive_max", "torch.adaptive_max_pool2d(x, [1, 3])[0]");
  add("nearest", "torch.upsample_nearest2d(x, [14, 18], None)");
  add("nearest_odd", "torch.upsample_nearest2d(x, [10, 10], None)");
  add("bilinear", "torch.upsample_bilinear2d(x, [14, 20], False, None)");
  add("bilinear_corners", "torch.upsample_bilinear2d(x, [13, 17], True, None)");
  add("bicubic", "torch.upsample_bicubic2d(x, [14, 18], False, None)");
  add("pixel_shuffle", "torch.pixel_shuffle(x, 2)");
  add("pixel_unshuffle", "torch.pixel_unshuffle(x[:, :, 0:6, 0:8], 2)");
  add("channel_shuffle", "torch.channel_shuffle(x, 2)");
  add("reflection_pad", "torch.reflection_pad2d(x, [1, 2, 2, 1])");
  add("instance_norm", "torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-05, False)");
  add("layer_norm_bare", "torch.layer_norm(x, [7, 9], None, None, 1e-05)");
  all.push_back(
      with_weights("group_norm", {2, 4, 7, 9}, {{4}, {4}}, "return torch.group_norm(x, 2, self.p0, self.p1, 1e-05)"));
  all.push_back(with_weights("conv1d", {2, 4, 9}, {{6, 2, 3}, {6}},
                             "return torch.conv1d(x, self.p0, self.p1, [2], [1], [1], 2)"));
  all.push_back(with_weights("conv3d", {2, 2, 5, 6, 7}, {{3, 2, 2, 3, 3}},
                             "return torch.conv3d(x, self.p0, None, [1, 2, 1], [0, 1, 1])"));
  all.push_back(with_weights("conv_dilated", {2, 4, 9, 9}, {{6, 4, 3, 3}, {6}},
                             "return torch.conv2d(x, self.p0, self.p1, [1, 1], [2, 2], [2, 2])"));
  all.push_back(with_weights("conv_same", {2, 4, 9, 9}, {{6, 4, 4, 3}, {6}},
                             "return torch.conv2d(x, self.p0, self.p1, [1, 1], 'same')"));
  all.push_back(with_weights("conv_transpose", {2, 4, 5, 5}, {{4, 3, 3, 3}, {6}},
                             "return torch.conv_transpose2d(x, self.p0, self.p1, [2, 2], [1, 1], [1, 1], 2)"));
  all.push_back(with_weights("conv_transpose1d", {2, 4, 5}, {{4, 3, 3}}, "return torch.conv_transpose1d(x, self.p0)"));
}

void add_matrices(std::vector<OnnxModel>& all) {
  all.push_back(with_weights("linear_rank3", {2, 4, 6}, {{5, 6}, {5}}, "return torch.linear(x, self.p0, self.p1)"));
  all.push_back(
      with_weights("addmm", {2, 6}, {{6, 5}, {5}}, "return torch.addmm(self.p1, x, self.p0, beta=0.5, alpha=2)"));
  all.push_back(with_weights("matmul", {2, 4, 6}, {{6, 5}}, "return torch.matmul(x, self.p0)"));
  all.push_back(with_weights("matmul_t", {2, 4, 6}, {{5, 6}}, "return torch.matmul(x, self.p0.t())"));
  all.push_back(expression("bmm", {2, 4, 6}, "torch.bmm(x, x.transpose(1, 2))"));
  all.push_back(expression("baddbmm", {2, 4, 4}, "torch.baddbmm(x, x, x, beta=0.5, alpha=2)"));
  all.push_back(expression("einsum", {2, 4, 6}, "torch.einsum('b i d, b j d -> b i j', [x, x])"));
  all.push_back(
      expression("attention", {2, 3, 4, 8}, "torch._scaled_dot_product_attention(x, x, x, None, 0., False, False)[0]"));
  all.push_back(expression("attention_causal", {2, 3, 4, 8},
                           "torch._scaled_dot_product_attention(x, x, x, None, 0., False, True)[0]"));
  all.push_back(with_weights(
      "lstm", {2, 4, 3}, {{20, 3}, {20, 5}, {20}, {20}},
      "h = torch.zeros([1, x.size(0), 5])\n"
      "  y, hn, cn = torch.lstm(x, [h, h], [self.p0, self.p1, self.p2, self.p3], True, 1, 0., False, False, True)\n"
      "  return (y, hn, cn)"));
  all.push_back(with_weights("lstm_deep", {2, 4, 3},
                             {{20, 3},
                              {20, 5},
                              {20},
                              {20},
                              {20, 3},
                              {20, 5},
                              {20},
                              {20},
                              {20, 10},
                              {20, 5},
                              {20},
                              {20},
                              {20, 10},
                              {20, 5},
                              {20},
                              {20}},
                             "h = torch.zeros([4, x.size(0), 5])\n"
                             "  p = [self.p0, self.p1, self.p2, self.p3, self.p4, self.p5, self.p6, self.p7, self.p8, "
                             "self.p9, self.p10, self.p11, self.p12, self.p13, self.p14, self.p15]\n"
                             "  y, hn, cn = torch.lstm(x, [h, h], p, True, 2, 0., False, True, True)\n"
                             "  return (y, hn, cn)"));
  all.push_back(
      with_weights("gru", {2, 4, 3}, {{15, 3}, {15, 5}, {15}, {15}},
                   "h = torch.zeros([1, x.size(0), 5])\n"
                   "  y, hn = torch.gru(x, h, [self.p0, self.p1, self.p2, self.p3], True, 1, 0., False, False, True)\n"
                   "  return (y, hn)"));
  all.push_back(with_weights("rnn", {2, 4, 3}, {{5, 3}, {5, 5}},
                             "h = torch.zeros([1, x.size(0), 5])\n"
                             "  y, hn = torch.rnn_tanh(x, h, [self.p0, self.p1], False, 1, 0., False, False, True)\n"
                             "  return y"));
  all.push_back(expression("loop", {2, 4, 6},
                           "y = x\n  for i in range(x.size(1)):\n    if i % 2 == 0:\n      y = y + x[:, i:i + 1]\n    "
                           "else:\n      y = y * 0.5\n  return y"));
  all.push_back(expression("dictionary", {2, 4}, "return {'a': x * 2, 'b': x + 1}"));
  all.push_back(expression("fixed_batch", {3, 4}, "x.view([3, 2, 2]).sum([2])"));
  all.back().dynamic_batch = false;
}

}  // namespace

torch::jit::Module resnet(std::uint64_t seed) {
  Builder build(seed);
  return build.net("ResNet",
                   {{"conv1", build.conv2d(3, 8, {.padding = 1, .bias = false})},
                    {"bn1", build.batch_norm2d(8, true)},
                    {"layer1", basic_block(build, 8, 8, 1)},
                    {"layer2", basic_block(build, 8, 16, 2)},
                    {"layer3", basic_block(build, 16, 32, 2)},
                    {"fc", build.linear(32, 10)}},
                   "def forward(self, x):\n"
                   "  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                   "  x = self.layer3.forward(self.layer2.forward(self.layer1.forward(x)))\n"
                   "  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)\n"
                   "  return self.fc.forward(x)");
}

at::Tensor onnx_input(const OnnxModel& model, std::int64_t batch, std::uint64_t seed) {
  auto shape = model.input;
  if (model.dynamic_batch) shape[0] = batch;
  auto generator = at::detail::createCPUGenerator(seed);
  if (model.tokens > 0) return at::randint(0, model.tokens, shape, generator, at::kLong);
  return at::randn(shape, generator);
}

const std::vector<OnnxModel>& onnx_networks() {
  static const std::vector<OnnxModel> networks{{"lenet", [] { return lenet(); }, {1, 1, 28, 28}},
                                               {"residual", [] { return residual_net(); }, {1, 3, 16, 16}},
                                               {"resnet", [] { return resnet(); }, {1, 3, 32, 32}},
                                               {"mobilenet", mobilenet, {1, 3, 32, 32}},
                                               {"vit", vit, {1, 3, 16, 16}},
                                               {"language_model", language_model, {1, 12}, 50},
                                               {"unet", unet, {1, 3, 16, 16}}};
  return networks;
}

const std::vector<OnnxModel>& onnx_operators() {
  static const std::vector<OnnxModel> operators = [] {
    std::vector<OnnxModel> all;
    add_activations(all);
    add_arithmetic(all);
    add_reductions(all);
    add_shapes(all);
    add_images(all);
    add_matrices(all);
    return all;
  }();
  return operators;
}

}  // namespace lathe::compression::test_models
