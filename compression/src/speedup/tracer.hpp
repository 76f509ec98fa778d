// The state of a channel trace that the operators' rules read and write.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "speedup/channel_trace.hpp"

namespace lathe::compression {

/// One executed node.
struct Call {
  const torch::jit::Node* node;
  const Values& inputs;
  const Values& outputs;

  /// The argument of that schema name; None when the operator has none.
  [[nodiscard]] c10::IValue argument(const char* name) const;
  /// The argument as tensor; undefined when it is None or absent.
  [[nodiscard]] at::Tensor tensor(const char* name) const;
  [[nodiscard]] at::Tensor output() const { return outputs.at(0).toTensor(); }
};

class Tracer {
 public:
  Tracer(const FlatGraph& flat, const PathMasks& masks);

  void observe(const Call& call);
  void finish(const c10::IValue& output);
  [[nodiscard]] ChannelTrace take() { return std::move(trace_); }

  // ---- what is known about tensors ----

  /// Nullptr: the tensor carries no labels.
  [[nodiscard]] const Channels* channels(const at::Tensor& tensor) const;
  void set(const at::Tensor& tensor, Channels channels);
  /// The tensor's labels on `axis`, or new ones that must all stay when it has none.
  [[nodiscard]] Channels channels_or_fixed(const at::Tensor& tensor, std::int64_t axis);

  /// Path of the parameter or buffer that this very tensor is; empty: it is none.
  [[nodiscard]] std::string path(const at::Tensor& tensor) const;
  /// Whether the tensor is a parameter, a buffer or a literal, so that no input of the model can change it.
  [[nodiscard]] bool is_constant(const at::Tensor& tensor) const;
  /// Notes that `view` is `parameter` transposed, and the way back (undefined: it is no such view).
  void note_transpose(const at::Tensor& parameter, const at::Tensor& view);
  [[nodiscard]] at::Tensor transposed_parameter(const at::Tensor& view) const;

  // ---- parameters ----

  /// Labels of a parameter's axis: new at the first call, the same at every later one.
  [[nodiscard]] std::vector<Label> labels_of(const at::Tensor& parameter, std::int64_t axis);
  /// Says that a parameter's axis counts these channels.
  void bind(const at::Tensor& parameter, std::int64_t axis, const std::vector<Label>& labels);
  /// 1 where the mask is zero in all of the slice at that position of the axis.
  [[nodiscard]] std::vector<char> masked_slices(const at::Tensor& parameter, std::int64_t axis) const;

  // ---- who reads what ----

  /// Every channel of the tensor must stay.
  void keep(const at::Tensor& tensor, const std::string& place);
  /// The operator is not understood: a channel that would go makes the speed-up fail.
  void refuse(const Call& call, const at::Tensor& tensor);

  /// The literal argument (or one element of it) counts these channels. Does nothing when it is no literal.
  void add_literal(const Call& call, const char* name, std::optional<std::size_t> element,
                   const std::vector<Label>& labels);

  [[nodiscard]] ChannelTrace& trace() { return trace_; }
  [[nodiscard]] const FlatGraph& flat() const { return flat_; }
  [[nodiscard]] std::string describe(const Call& call) const { return flat_.describe(call.node); }

 private:
  struct Known {
    at::Tensor tensor;  ///< keeps the identity from being used again
    std::optional<Channels> channels;
    std::string path;
    bool constant = false;
    at::Tensor transpose_of;
  };

  Known& known(const at::Tensor& tensor);
  [[nodiscard]] const Known* find(const at::Tensor& tensor) const;
  void refuse_unknown(const Call& call);

  const FlatGraph& flat_;
  const PathMasks& masks_;
  std::unordered_map<const c10::TensorImpl*, Known> known_;
  ChannelTrace trace_;
};

/// How an operator carries labels from its inputs to its outputs.
using Rule = void (*)(Tracer&, const Call&);

/// Nullptr: the operator has no rule. `name` is qualified, e.g. `aten::relu`.
[[nodiscard]] Rule find_layer_rule(const std::string& name);
[[nodiscard]] Rule find_elementwise_rule(const std::string& name);
[[nodiscard]] Rule find_shape_rule(const std::string& name);

/// Every tensor in the value, those inside lists, tuples and dicts included.
[[nodiscard]] std::vector<at::Tensor> tensors_in(const c10::IValue& value);

/// The tensor as one row a position on `axis`.
[[nodiscard]] at::Tensor rows_of(const at::Tensor& tensor, std::int64_t axis);

/// A tensor of booleans, one entry a position.
[[nodiscard]] std::vector<char> flags_of(const at::Tensor& tensor);

}  // namespace lathe::compression
