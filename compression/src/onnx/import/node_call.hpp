// One node, as the rules that turn it into TorchScript see it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onnx/import/builder.hpp"

namespace lathe::compression::onnx_in {

using Strings = std::vector<std::string>;
using Ints = std::vector<std::int64_t>;

class NodeCall {
 public:
  NodeCall(const Node& node, Builder& builder) : node_(node), builder_(builder) {}

  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] Builder& builder() { return builder_; }
  [[nodiscard]] std::int64_t opset() const { return builder_.graph().opset; }
  /// Throws Malformed that names the node.
  [[noreturn]] void bad(const std::string& what) const;

  // ---- attributes; a wrong type is an error ----

  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  [[nodiscard]] double real(const std::string& name, double otherwise) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& name,
                                               const std::vector<std::string>& otherwise) const;
  /// `count` > 0: the list must have that many.
  [[nodiscard]] Ints integers(const std::string& name, const Ints& otherwise, std::size_t count = 0) const;

  // ---- inputs ----

  [[nodiscard]] std::size_t input_count() const { return node_.inputs.size(); }
  [[nodiscard]] bool has(std::size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  [[nodiscard]] const std::string& input_name(std::size_t i) const;
  [[nodiscard]] const Value& value(std::size_t i) const;
  /// The expression of the input as a tensor.
  [[nodiscard]] std::string in(std::size_t i);
  [[nodiscard]] at::Tensor constant(std::size_t i) const;  ///< undefined: it is not known now
  [[nodiscard]] at::Tensor required_constant(std::size_t i, const std::string& what) const;
  /// Integers that are known now: an attribute in older opsets, an input in newer ones.
  [[nodiscard]] std::optional<Ints> fixed_integers(const std::string& attribute, std::size_t i) const;
  /// Integers as expressions; nothing when they hang on the data.
  [[nodiscard]] std::optional<Strings> integer_codes(std::size_t i) const;
  /// Whether the input is a list of that many integers of a shape (rank 1), or one of them (rank 0).
  [[nodiscard]] bool is_integer_list(std::size_t i) const;
  [[nodiscard]] bool is_integer(std::size_t i) const;
  /// One number of an input that is known now.
  [[nodiscard]] double number(std::size_t i, const std::string& what) const;

  // ---- types ----

  [[nodiscard]] std::optional<std::int64_t> rank(std::size_t i) const;
  [[nodiscard]] std::int64_t required_rank(std::size_t i) const;
  /// Throws Malformed unless it is known.
  [[nodiscard]] std::int64_t fixed_size(std::size_t i, std::int64_t axis) const;
  [[nodiscard]] at::ScalarType type(std::size_t i) const;
  /// Not negative; throws Malformed when out of range.
  [[nodiscard]] std::int64_t wrapped(std::int64_t axis, std::int64_t rank) const;

  // ---- what is written ----

  /// The output is this expression.
  void out(const std::string& code, std::size_t i = 0);
  /// Becomes a constant where all are numbers.
  void out_integers(Strings integers, bool is_scalar);
  void out_constant(const at::Tensor& constant);
  void line(const std::string& text) { builder_.line(text); }
  [[nodiscard]] std::string variable(const std::string& code);
  /// Adds a submodule called after `name_source` (an initializer), or after this node where that has no name of its
  /// own, and returns the code of its forward.
  [[nodiscard]] std::string module(const std::string& name_source, const LeafModule& leaf);

 private:
  [[nodiscard]] const AttributeValue* attribute(const std::string& name) const;

  const Node& node_;
  Builder& builder_;
};

using Rule = void (*)(NodeCall&);
using Rules = std::unordered_map<std::string_view, Rule>;

/// Nullptr: there is none.
[[nodiscard]] Rule find_rule(std::string_view type);

// The tables, one a file in rules/.
[[nodiscard]] const Rules& layer_rules();
[[nodiscard]] const Rules& elementwise_rules();
[[nodiscard]] const Rules& pooling_rules();
[[nodiscard]] const Rules& reduction_rules();
[[nodiscard]] const Rules& layout_rules();
[[nodiscard]] const Rules& indexing_rules();
[[nodiscard]] const Rules& size_rules();
[[nodiscard]] const Rules& resize_rules();
[[nodiscard]] const Rules& recurrent_rules();
[[nodiscard]] const Rules& quantization_rules();

/// `[1, 2]`
[[nodiscard]] std::string list_code(const Ints& values);
[[nodiscard]] std::string list_code(const Strings& values);
/// What an expression of an integer is, where it is a number.
[[nodiscard]] std::optional<std::int64_t> literal_of(const std::string& code);
/// A number with all its digits.
[[nodiscard]] std::string number_code(double value);
[[nodiscard]] std::string type_code(at::ScalarType type);

}  // namespace lathe::compression::onnx_in
