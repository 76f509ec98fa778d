// Reads an operator node's arguments by the names in its schema, which stay when arities differ between versions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <torch/csrc/jit/ir/ir.h>

namespace lathe::compression {

/// Index of the input that holds argument `name`; nothing when the node has no such argument or no schema.
[[nodiscard]] std::optional<std::size_t> argument_index(const torch::jit::Node* node, std::string_view name);

/// The input itself, or nullptr.
[[nodiscard]] const torch::jit::Value* argument(const torch::jit::Node* node, std::string_view name);

/// The constant that the value holds, lists of constants included; None when it is not known before running.
[[nodiscard]] c10::IValue constant_value(const torch::jit::Value* value);

}  // namespace lathe::compression
