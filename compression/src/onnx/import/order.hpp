// Puts a graph's nodes in an order in which each finds its inputs.
#pragma once

#include "onnx/import/graph.hpp"

namespace lathe::compression::onnx_in {

/// Keeps the file's order where it can. Throws Malformed: a value that nobody makes or two nodes make, a cycle.
void put_in_order(Graph& graph);

}  // namespace lathe::compression::onnx_in
