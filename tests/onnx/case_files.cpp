#include "case_files.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/compression/onnx_import.hpp>

#include "onnx/data_flow.hpp"

namespace lathe::compression::test_models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A tensor as bytes beside its shape and type.
json write_tensor(const at::Tensor& tensor, const fs::path& folder, const std::string& name) {
  const at::Tensor bytes = tensor.contiguous();
  std::ofstream(folder / name, std::ios::binary)
      .write(static_cast<const char*>(bytes.data_ptr()), static_cast<std::streamsize>(bytes.nbytes()));
  return {{"file", name},
          {"shape", tensor.sizes().vec()},
          {"type", tensor.scalar_type() == at::kLong ? "int64" : "float32"}};
}

/// The largest difference beside the largest value (or 1); NaN, which no tolerance allows, for other shapes or NaNs in
/// one of them alone.
double difference(const at::Tensor& found, const at::Tensor& expected) {
  constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
  if (found.sizes() != expected.sizes()) return kNoNumber;
  if (found.numel() == 0) return 0;
  const at::Tensor a = found.to(at::kDouble);
  const at::Tensor b = expected.to(at::kDouble);
  if (!at::isfinite(a).equal(at::isfinite(b))) return kNoNumber;
  const double largest = std::max(1.0, b.nan_to_num(0, 0, 0).abs().max().item<double>());
  return (a.nan_to_num(0, 0, 0) - b.nan_to_num(0, 0, 0)).abs().max().item<double>() / largest;
}

void for_each_output(const fs::path& file, const Run& run, const std::vector<at::Tensor>& inputs,
                     const std::function<void(const at::Tensor&, const at::Tensor&)>& compare) {
  auto model = import_onnx(file);
  if (!model) throw std::runtime_error(model.error().message);
  for (const at::Tensor& input : inputs) {
    const auto expected = onnx_out::all_tensors({run(input.clone())});
    const auto found = onnx_out::all_tensors({model->forward({input.clone()})});
    if (found.size() != expected.size()) {
      throw std::runtime_error(fmt::format("imported, it has {} outputs, not {}", found.size(), expected.size()));
    }
    for (std::size_t i = 0; i < found.size(); ++i) compare(found[i], expected[i]);
  }
}

}  // namespace

json write_runs(const std::string& name, const Run& run, const std::vector<at::Tensor>& inputs,
                const fs::path& folder) {
  json runs = json::array();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string prefix = name + "." + std::to_string(i);
    json one{{"input", write_tensor(inputs[i], folder, prefix + ".input")}, {"outputs", json::array()}};
    for (const at::Tensor& output : onnx_out::all_tensors({run(inputs[i].clone())}))
      one["outputs"].push_back(
          write_tensor(output, folder, prefix + ".output" + std::to_string(one["outputs"].size())));
    runs.push_back(one);
  }
  return runs;
}

void check_import(const fs::path& file, const Run& run, const std::vector<at::Tensor>& inputs) {
  for_each_output(file, run, inputs, [](const at::Tensor& found, const at::Tensor& expected) {
    const double apart = difference(found, expected);
    if (apart <= kImportTolerance) return;
    throw std::runtime_error(fmt::format("imported, it differs by {} (shapes [{}] and [{}])", apart,
                                         fmt::join(found.sizes(), ", "), fmt::join(expected.sizes(), ", ")));
  });
}

/// The simulation rounds a half up, QuantizeLinear to even: close calls may fall to the other side.
constexpr double kRoundedOtherwise = 0.01;

void check_import_top1(const fs::path& file, const Run& run, const std::vector<at::Tensor>& inputs) {
  for_each_output(file, run, inputs, [](const at::Tensor& found, const at::Tensor& expected) {
    const auto differ = found.argmax(1).ne(expected.argmax(1)).sum().item<std::int64_t>();
    if (static_cast<double>(differ) <= kRoundedOtherwise * static_cast<double>(expected.size(0))) return;
    throw std::runtime_error(fmt::format("imported, {} of {} predictions differ", differ, expected.size(0)));
  });
}

void require(const Result<void>& done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + done.error().message);
}

}  // namespace lathe::compression::test_models
