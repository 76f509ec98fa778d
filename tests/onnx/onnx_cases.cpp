// onnx_cases FOLDER [MODEL.FORM.pt …]: writes models as ONNX, with inputs and with what LibTorch makes of them, for
// run_cases.mjs. Without models, those of the tests; a model file has an input beside it, MODEL.input.pt. An ONNX file
// is imported instead, and its outputs are those of the import.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/onnx_export.hpp>

#include "onnx/data_flow.hpp"
#include "onnx/probe.hpp"
#include "onnx_models.hpp"
#include "quantized_cases.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace lathe::compression;

/// A tensor as bytes beside its shape and type.
json write_tensor(const at::Tensor& tensor, const fs::path& folder, const std::string& name) {
  const at::Tensor bytes = tensor.contiguous();
  std::ofstream(folder / name, std::ios::binary)
      .write(static_cast<const char*>(bytes.data_ptr()), static_cast<std::streamsize>(bytes.nbytes()));
  return {{"file", name},
          {"shape", tensor.sizes().vec()},
          {"type", tensor.scalar_type() == at::kLong ? "int64" : "float32"}};
}

/// Inputs of one case at two batch sizes, neither of which the export has run with, and the outputs.
json write_runs(const std::string& name, const std::function<c10::IValue(const at::Tensor&)>& run,
                const std::vector<at::Tensor>& inputs, const fs::path& folder) {
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

void require(const Result<void>& done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + done.error().message);
}

json float_case(const test_models::OnnxModel& model, int opset, const fs::path& folder) {
  const std::string name = model.name + "." + std::to_string(opset);
  auto module = model.make();
  module.eval();
  OnnxExportOptions options{.opset = opset, .dynamic_batch = model.dynamic_batch};
  const std::vector<at::Tensor> inputs{test_models::onnx_input(model, 4, 1), test_models::onnx_input(model, 7, 2)};
  const auto example = test_models::onnx_input(model, 1, 3);
  if (model.name == "unet") options.external_data_from = 0;
  require(export_onnx(module, example, folder / (name + ".onnx"), options), name);
  const auto run = [&](const at::Tensor& input) { return module.forward({input}); };
  return {{"name", name}, {"tolerance", 1e-4}, {"runs", write_runs(name, run, inputs, folder)}};
}

json quantized_case(const test_models::QuantizedCase& one, const fs::path& folder) {
  OnnxExportOptions options;
  options.quantization = one.quantization;
  require(export_onnx(one.saved, one.inputs[0].slice(0, 0, 1), folder / (one.name + ".onnx"), options), one.name);
  return {{"name", one.name}, {"same_top1", true}, {"runs", write_runs(one.name, one.simulation, one.inputs, folder)}};
}

/// A TorchScript file, such as tests/zoo/build.py makes, and the input beside it. A float model whose outputs are large
/// for its input is held to what is left of float32 after so many layers.
json file_case(const fs::path& file, const fs::path& folder) {
  const std::string name = file.stem().string();
  auto loaded = load_model(file);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  loaded->eval();
  const fs::path beside = file.parent_path() / (name.substr(0, name.find('.')) + ".input.pt");
  std::ifstream in(beside, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const at::Tensor example = torch::jit::pickle_load(bytes).toTensor();
  if (file.extension() == ".onnx") {
    fs::copy_file(file, folder / (name + ".onnx"));
  } else {
    require(export_onnx(*loaded, example, folder / (name + ".onnx")), name);
  }
  const auto run = [&](const at::Tensor& input) { return loaded->forward({input}); };
  const std::vector<at::Tensor> inputs{onnx_out::batch_of(example, 1), onnx_out::batch_of(example, 4)};
  return {{"name", name}, {"tolerance", 1e-4}, {"runs", write_runs(name, run, inputs, folder)}};
}

/// Cases that were written; those that could not be are told and counted.
class Cases {
 public:
  template <class Make>
  void add(const std::string& name, const Make& make) {
    try {
      cases_.push_back(make());
    } catch (const std::exception& error) {
      std::cerr << "FAILED " << name << ": " << error.what() << "\n";
      ++failed_;
    }
  }
  void write(const fs::path& file) const { std::ofstream(file) << cases_.dump(1); }
  [[nodiscard]] int failed() const { return failed_; }

 private:
  json cases_ = json::array();
  int failed_ = 0;
};

void add_tests(Cases& cases, const fs::path& folder) {
  for (const int opset : {13, 17}) {
    for (const auto* models : {&test_models::onnx_networks(), &test_models::onnx_operators()})
      for (const auto& model : *models) cases.add(model.name, [&] { return float_case(model, opset, folder); });
  }
  for (const auto& make : test_models::quantized_cases())
    cases.add(make.name, [&] { return quantized_case(make.make(), folder); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: onnx_cases FOLDER [MODEL.FORM.pt …]\n";
    return 2;
  }
  const c10::NoGradGuard no_grad;
  const fs::path folder = argv[1];
  fs::create_directories(folder);
  Cases cases;
  if (argc == 2) {
    add_tests(cases, folder);
  } else {
    for (int i = 2; i < argc; ++i) cases.add(argv[i], [&] { return file_case(argv[i], folder); });
  }
  cases.write(folder / "cases.json");
  return cases.failed() == 0 ? 0 : 1;
}
