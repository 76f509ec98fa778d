// An ONNX graph as it was read: checked, in our own types, and in an order in which it can run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

namespace lathe::compression::onnx_in {

/// Thrown while a file is read; what it says is for the user. An Error outside.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using AttributeValue = std::variant<std::monostate, std::int64_t, float, std::string, std::vector<std::int64_t>,
                                    std::vector<float>, std::vector<std::string>, at::Tensor>;

struct Node {
  std::string type;
  std::string domain;  ///< empty: ai.onnx
  std::string name;    ///< may be empty
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, AttributeValue> attributes;  ///< monostate: of a kind that no rule reads (a graph)

  /// "Conv node `conv1`", or by its first output where it has no name.
  [[nodiscard]] std::string text() const;
};

/// What shape inference found; sizes that are not fixed are empty.
struct ValueType {
  at::ScalarType type = at::ScalarType::Float;
  std::optional<std::vector<std::optional<std::int64_t>>> dims;
};

struct Graph {
  std::string name;
  std::int64_t opset = 0;
  std::vector<Node> nodes;
  std::map<std::string, at::Tensor> initializers;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, ValueType> types;
};

}  // namespace lathe::compression::onnx_in
