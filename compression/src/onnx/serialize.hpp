// From our own graph to ONNX's protobuf messages and files.
#pragma once

#include <filesystem>

#include <onnx/onnx_pb.h>

#include <lathe/compression/result.hpp>

#include "onnx/graph.hpp"

namespace lathe::compression::onnx_out {

enum class Weights {
  Embedded,  ///< in the message
  AsInputs,  ///< those of many bytes become inputs of the graph: enough for a check, and no copy of them
};

[[nodiscard]] onnx::ModelProto to_proto(const Graph& graph, int opset, Weights weights);

/// Runs the checker and shape inference of libonnx. Errors: what they say.
[[nodiscard]] Result<void> check_graph(const Graph& graph, int opset);

/// Bytes of all initializers.
[[nodiscard]] std::int64_t weight_bytes(const Graph& graph);

/// One file, or with `external` a second one, `FILE.data`, with the weights. Whole or not at all.
[[nodiscard]] Result<void> write_file(const Graph& graph, int opset, const std::filesystem::path& file, bool external);

}  // namespace lathe::compression::onnx_out
