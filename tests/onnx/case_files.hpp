// What run_cases.mjs reads: inputs and expected outputs of a case as files, and their description.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/result.hpp>

namespace lathe::compression::test_models {

using Run = std::function<c10::IValue(const at::Tensor&)>;

/// Of a float model in onnxruntime, beside its largest output (or 1).
constexpr double kRuntimeTolerance = 1e-4;
/// Of a model that was imported again, which LibTorch runs as it runs the original.
constexpr double kImportTolerance = 1e-5;

/// What `run` makes of each input, written to `folder` under the case's name; one entry of the case's `runs` each.
[[nodiscard]] nlohmann::json write_runs(const std::string& name, const Run& run, const std::vector<at::Tensor>& inputs,
                                        const std::filesystem::path& folder);

/// Throws std::runtime_error unless the file imports and gives what `run` gives, within kImportTolerance.
void check_import(const std::filesystem::path& file, const Run& run, const std::vector<at::Tensor>& inputs);

/// The same for a quantized model, where a tie may be rounded the other way: the largest of each row must be the same.
void check_import_top1(const std::filesystem::path& file, const Run& run, const std::vector<at::Tensor>& inputs);

/// Throws std::runtime_error with `what` and the error's message.
void require(const Result<void>& done, const std::string& what);

}  // namespace lathe::compression::test_models
