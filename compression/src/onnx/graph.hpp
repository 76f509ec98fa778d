// An ONNX graph in our own types while it is being built; only serialize.cpp knows protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

namespace lathe::compression::onnx_out {

struct Attribute {
  using Value = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>;

  Attribute(std::string key, int number) : name(std::move(key)), value(std::int64_t{number}) {}
  Attribute(std::string key, std::int64_t number) : name(std::move(key)), value(number) {}
  Attribute(std::string key, double number) : name(std::move(key)), value(static_cast<float>(number)) {}
  Attribute(std::string key, const char* text) : name(std::move(key)), value(std::string(text)) {}
  Attribute(std::string key, std::string text) : name(std::move(key)), value(std::move(text)) {}
  Attribute(std::string key, std::vector<std::int64_t> numbers) : name(std::move(key)), value(std::move(numbers)) {}

  std::string name;
  Value value;
};

using Attributes = std::vector<Attribute>;
using Names = std::vector<std::string>;

struct GraphNode {
  std::string type;
  std::string name;
  Names inputs;  ///< an empty name stands for an optional input that is absent
  Names outputs;
  Attributes attributes;
  std::string problem;  ///< not empty: this node has no counterpart in ONNX, and why
};

/// A size that may grow with the batch: per_batch * batch + fixed.
struct Size {
  std::int64_t per_batch = 0;
  std::int64_t fixed = 0;

  [[nodiscard]] bool is_static() const { return per_batch == 0; }
  friend bool operator==(const Size&, const Size&) = default;
};

using Sizes = std::vector<Size>;

struct GraphValue {
  std::string name;
  at::ScalarType type = at::ScalarType::Float;
  Sizes dims;
};

struct Initializer {
  std::string name;
  at::Tensor tensor;
};

struct Graph {
  std::string name;
  std::vector<GraphNode> nodes;  ///< in an order in which they can run
  std::vector<Initializer> initializers;
  std::vector<GraphValue> inputs;
  std::vector<GraphValue> outputs;
};

}  // namespace lathe::compression::onnx_out
