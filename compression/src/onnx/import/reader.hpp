// From an ONNX file to a checked graph.
#pragma once

#include <filesystem>

#include "onnx/import/graph.hpp"

namespace lathe::compression::onnx_in {

/// Throws Malformed.
[[nodiscard]] Graph read_graph(const std::filesystem::path& file, std::int64_t most_bytes);

}  // namespace lathe::compression::onnx_in
