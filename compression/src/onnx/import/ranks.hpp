// Ranks that follow from a node's inputs, where shape inference lost them (behind a Reshape to a computed shape).
#pragma once

#include <cstdint>
#include <optional>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {

/// Of the first output; nothing where it cannot be told.
[[nodiscard]] std::optional<std::int64_t> rank_of_output(const NodeCall& call);

}  // namespace lathe::compression::onnx_in
