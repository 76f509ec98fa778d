#include <lathe/compression/onnx_import.hpp>

#include <exception>
#include <string>

#include <fmt/format.h>

#include "onnx/import/builder.hpp"
#include "onnx/import/reader.hpp"

namespace lathe::compression {

Result<torch::jit::Module> import_onnx(const std::filesystem::path& file, const OnnxImportOptions& options) {
  try {
    return onnx_in::Builder(onnx_in::read_graph(file, options.most_bytes)).build();
  } catch (const onnx_in::Malformed& error) {
    return fail(fmt::format("{}: {}", file.string(), error.what()));
  } catch (const std::exception& error) {
    // What a rule let pass and LibTorch refuses: sizes that do not go together, mostly.
    const std::string reason = error.what();
    return fail(fmt::format("{}: cannot be imported: {}", file.string(), reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression
