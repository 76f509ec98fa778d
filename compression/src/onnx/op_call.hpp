// One executed operator, as the rules that write it down see it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/program.hpp"
#include "onnx/graph_builder.hpp"
#include "onnx/probe.hpp"

namespace lathe::compression::onnx_out {

/// Thrown by a rule: this call of the operator has no counterpart. The message says what stands in the way.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What is known of tensors while the graph is written.
class TensorNames {
 public:
  virtual ~TensorNames() = default;
  /// The value of that tensor in the graph; constants become initializers.
  virtual std::string name_of(const at::Tensor& tensor) = 0;
  /// Says which value of the graph a tensor is.
  virtual void bind(const at::Tensor& tensor, const std::string& name) = 0;
  [[nodiscard]] virtual Sizes sizes_of(const at::Tensor& tensor) const = 0;
  /// Whether the tensor is the same for every input.
  [[nodiscard]] virtual bool is_constant(const at::Tensor& tensor) const = 0;
  /// An int64 value of rank 1 with this many samples.
  virtual std::string batch() = 0;
  [[nodiscard]] virtual int opset() const = 0;
};

class OpCall {
 public:
  /// `probes` are the same step at the other batch sizes; none when nothing is dynamic.
  OpCall(const torch::jit::Node* node, const Values& inputs, const Values& outputs, std::vector<const SeenStep*> probes,
         GraphBuilder& graph, TensorNames& names);

  // ---- arguments, by their names in the operator's schema ----

  [[nodiscard]] c10::IValue argument(std::string_view name) const;  ///< None when absent
  [[nodiscard]] bool has(std::string_view name) const { return !argument(name).isNone(); }
  [[nodiscard]] at::Tensor tensor(std::string_view name) const;  ///< undefined when None or absent
  [[nodiscard]] std::vector<at::Tensor> tensors(std::string_view name) const;

  /// Numbers that do not depend on the batch; throw Unsupported when they do.
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  /// A list, or the one number that stands for `count` of them.
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name, std::size_t count = 0) const;
  /// As integers, for dimensions of a tensor of this rank: none negative.
  [[nodiscard]] std::vector<std::int64_t> axes(std::string_view name, std::int64_t rank) const;
  [[nodiscard]] std::int64_t axis(std::string_view name, std::int64_t rank) const;
  /// Numbers that may follow the batch.
  [[nodiscard]] Sizes sizes(std::string_view name) const;
  [[nodiscard]] Size size(std::string_view name) const { return sizes(name).at(0); }

  // ---- tensors ----

  [[nodiscard]] std::string name(const at::Tensor& tensor) { return names_.name_of(tensor); }
  [[nodiscard]] std::string in(std::string_view argument) { return name(required(argument)); }
  [[nodiscard]] std::string in_as(std::string_view argument, at::ScalarType type) {
    return cast(in(argument), required(argument).scalar_type(), type);
  }
  /// A tensor or a number, as a value of this type.
  [[nodiscard]] std::string operand(std::string_view argument, at::ScalarType type);
  /// The tensor argument; throws Unsupported when there is none.
  [[nodiscard]] at::Tensor required(std::string_view argument) const;
  [[nodiscard]] Sizes dims(const at::Tensor& tensor) const { return names_.sizes_of(tensor); }
  [[nodiscard]] bool is_constant(const at::Tensor& tensor) const { return names_.is_constant(tensor); }
  [[nodiscard]] at::Tensor result(std::size_t index = 0) const;
  [[nodiscard]] std::size_t result_count() const { return outputs_.size(); }
  /// All tensors that it returns, those in lists included.
  [[nodiscard]] std::vector<at::Tensor> results() const { return all_tensors(outputs_); }
  [[nodiscard]] Sizes result_dims(std::size_t index = 0) const { return dims(result(index)); }
  /// Throws Unsupported when the dimension follows the batch.
  [[nodiscard]] std::int64_t fixed_size(const at::Tensor& tensor, std::int64_t axis) const;

  // ---- what is written ----

  std::string add(const std::string& type, Names inputs, Attributes attributes = {}) {
    return graph_.add(type, std::move(inputs), std::move(attributes));
  }
  [[nodiscard]] std::string cast(const std::string& value, at::ScalarType from, at::ScalarType to);
  [[nodiscard]] std::string scalar(double value, at::ScalarType type) { return graph_.scalar(value, type); }
  [[nodiscard]] std::string ints(const std::vector<std::int64_t>& values) { return graph_.integers(values); }
  [[nodiscard]] std::string constant(const at::Tensor& tensor) { return graph_.constant(tensor); }
  /// An int64 value of rank 1 with these sizes.
  [[nodiscard]] std::string shape(const Sizes& sizes);
  /// `value`, whose sizes are `from`, in the sizes `to`.
  [[nodiscard]] std::string reshape(const std::string& value, const Sizes& from, const Sizes& to);
  [[nodiscard]] std::string transpose(const std::string& value, const std::vector<std::int64_t>& order);
  [[nodiscard]] std::string unsqueeze(const std::string& value, const std::vector<std::int64_t>& axes);
  [[nodiscard]] std::string squeeze(const std::string& value, const std::vector<std::int64_t>& axes);
  /// The last two dimensions exchanged; a constant is transposed here and now.
  [[nodiscard]] std::string transposed(const at::Tensor& tensor);

  void out(const std::string& value, std::size_t index = 0) { names_.bind(result(index), value); }
  void out(const at::Tensor& tensor, const std::string& value) { names_.bind(tensor, value); }

  [[nodiscard]] GraphBuilder& graph() { return graph_; }
  [[nodiscard]] int opset() const { return names_.opset(); }

 private:
  [[nodiscard]] bool is_static(std::size_t index) const;
  [[nodiscard]] c10::IValue fixed_argument(std::string_view name) const;

  const torch::jit::Node* node_;
  const Values& inputs_;
  const Values& outputs_;
  std::vector<const SeenStep*> probes_;
  GraphBuilder& graph_;
  TensorNames& names_;
};

using OnnxRule = void (*)(OpCall&);
using RuleTable = std::unordered_map<std::string_view, OnnxRule>;

/// Sizes that are all fixed.
[[nodiscard]] Sizes fixed_sizes(const std::vector<std::int64_t>& sizes);

/// The rule of an operator such as `aten::relu`; an operator that works in place has that of the one that does not.
/// Nullptr: none.
[[nodiscard]] OnnxRule find_onnx_rule(std::string_view name);

// The tables, one a file in rules/.
[[nodiscard]] const RuleTable& activation_rules();
[[nodiscard]] const RuleTable& arithmetic_rules();
[[nodiscard]] const RuleTable& comparison_rules();
[[nodiscard]] const RuleTable& convolution_rules();
[[nodiscard]] const RuleTable& creation_rules();
[[nodiscard]] const RuleTable& indexing_rules();
[[nodiscard]] const RuleTable& joining_rules();
[[nodiscard]] const RuleTable& matrix_rules();
[[nodiscard]] const RuleTable& attention_rules();
[[nodiscard]] const RuleTable& normalization_rules();
[[nodiscard]] const RuleTable& padding_rules();
[[nodiscard]] const RuleTable& pooling_rules();
[[nodiscard]] const RuleTable& recurrent_rules();
[[nodiscard]] const RuleTable& reduction_rules();
[[nodiscard]] const RuleTable& resize_rules();
[[nodiscard]] const RuleTable& shape_rules();

}  // namespace lathe::compression::onnx_out
