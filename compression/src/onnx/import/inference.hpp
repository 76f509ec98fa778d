// libonnx's shape inference, in a process of its own: given a damaged file it may crash, and files are not trusted.
#pragma once

#include <onnx/onnx_pb.h>

namespace lathe::compression::onnx_in {

/// The graph's value_info with what inference found. Without anything in it where inference failed, crashed, took
/// longer than a minute or asked for more than 2 GiB beyond what the process has.
[[nodiscard]] onnx::GraphProto infer_values(onnx::ModelProto& model);

}  // namespace lathe::compression::onnx_in
