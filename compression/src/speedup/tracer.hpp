// The state of a channel trace that the operators' rules read and write.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "speedup/channel_trace.hpp"
#include "speedup/channels.hpp"

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
  /// The first input; undefined when it is no tensor.
  [[nodiscard]] at::Tensor first() const;
  [[nodiscard]] at::Tensor output() const { return outputs.at(0).toTensor(); }
  /// `aten::relu_` → `relu`; empty for other namespaces.
  [[nodiscard]] std::string_view name() const;
  /// The operator run on other inputs; its first output.
  [[nodiscard]] c10::IValue rerun(const Values& instead) const;
};

class Tracer {
 public:
  Tracer(const FlatGraph& flat, const PathMasks& masks);

  /// Before a call: remembers its arguments.
  void prepare(const torch::jit::Node* node, const Values& inputs);
  void observe(const Call& call);
  void finish(const c10::IValue& output);
  [[nodiscard]] ChannelTrace take() { return std::move(trace_); }

  // ---- what is known about tensors ----

  [[nodiscard]] std::optional<Channels> channels(const at::Tensor& tensor) const;
  /// A tensor of a single channel keeps none: it cannot lose it.
  void set(const at::Tensor& tensor, const Channels& channels, const Call& call);
  /// Whether the tensor is a parameter, a buffer, a literal or a view of one, so that no input can change it.
  [[nodiscard]] bool is_constant(const at::Tensor& tensor) const;

  // ---- parameters ----

  /// Path of the parameter or buffer that this very tensor is; empty: it is none.
  [[nodiscard]] std::string path(const at::Tensor& tensor) const;
  /// The axis of the parameter that this axis of it, or of a view of it, is.
  [[nodiscard]] std::optional<ParameterAxis> parameter_axis(const at::Tensor& tensor, std::int64_t axis) const;
  /// Notes that `view` shows `tensor` with its axes in these places (nothing: a new one, or one that was cut).
  void note_view(const at::Tensor& tensor, const at::Tensor& view,
                 const std::vector<std::optional<std::int64_t>>& axes);
  [[nodiscard]] bool is_parameter(const at::Tensor& tensor) const;

  /// Labels of a parameter's axis: new at the first call, the same at every later one.
  [[nodiscard]] std::vector<Label> labels_of(const ParameterAxis& axis, std::int64_t size);
  /// Says that a parameter's axis counts these channels.
  void bind(const ParameterAxis& axis, const std::vector<Label>& labels);
  /// True where the mask is zero in all of the slice at that position of the axis.
  [[nodiscard]] at::Tensor masked_slices(const at::Tensor& tensor, std::int64_t axis) const;

  // ---- who reads what ----

  void pin(const std::vector<Label>& labels);
  /// Labels of something that can lose nothing.
  [[nodiscard]] std::vector<Label> fixed(std::int64_t size);
  /// Every channel of the tensor must stay, for that reason. A parameter keeps its shape.
  void keep(const Call& call, const at::Tensor& tensor, const std::string& reason);
  /// Adds a reader of the channels; `removable` is of booleans in memory order.
  Consumer& read(const Call& call, const std::vector<Label>& labels, const at::Tensor& removable);
  /// An argument (or one element of it) counts these positions. Nothing happens when the operator has no such argument.
  void count(const Call& call, const char* name, std::optional<std::size_t> element,
             std::vector<std::vector<Label>> positions);

  [[nodiscard]] ChannelTrace& trace() { return trace_; }
  [[nodiscard]] LabelTable& table() { return trace_.labels; }
  [[nodiscard]] const FlatGraph& flat() const { return flat_; }
  [[nodiscard]] std::string describe(const Call& call) const { return flat_.describe(call.node); }

 private:
  struct Known {
    /// Keeps the address from being used again, but not the values.
    std::optional<c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>> alive;
    std::optional<Channels> channels;
    std::string path;                               ///< of the parameter that this is, or is a view of
    std::vector<std::optional<std::int64_t>> axes;  ///< of a view of a parameter
    bool is_view = false;
    bool constant = false;
  };

  Known& known(const at::Tensor& tensor);
  [[nodiscard]] const Known* find(const at::Tensor& tensor) const;
  void apply_rule(const Call& call);
  void refuse_unknown(const Call& call);
  void add_product(const Channels& channels, const Call& call);
  /// Parameters that a rule took without asking for their labels must keep their shape.
  void keep_unasked(const Call& call);
  void fix_parameter(const std::string& path, const std::string& place, const std::string& reason);
  void note_write(const Call& call);
  void note_outputs(const Call& call);
  [[nodiscard]] MadeTensor made_tensor(const at::Tensor& tensor) const;

  const FlatGraph& flat_;
  const PathMasks& masks_;
  std::unordered_map<const c10::TensorImpl*, Known> known_;
  std::map<std::string, std::pair<std::string, std::string>> fixed_parameters_;  ///< path → place, reason
  std::set<std::string> asked_;                                                  ///< paths, in this call
  ChannelTrace trace_;
};

/// Every tensor in the value, those inside lists, tuples and dicts included.
[[nodiscard]] std::vector<at::Tensor> tensors_in(const c10::IValue& value);

}  // namespace lathe::compression
