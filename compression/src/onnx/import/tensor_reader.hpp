// Tensors of an ONNX file, in the message or in a file beside it. Nothing in them is trusted.
#pragma once

#include <filesystem>

#include <ATen/core/Tensor.h>
#include <onnx/onnx_pb.h>

namespace lathe::compression::onnx_in {

/// `folder` is where the file lies; data outside of it is not read. Throws Malformed.
[[nodiscard]] at::Tensor read_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder,
                                     std::int64_t most_bytes);

}  // namespace lathe::compression::onnx_in
