// onnx_cases FOLDER [MODEL.FORM.pt | MODEL.FORM.onnx …] [--quantize MODEL.FORM.pt …]: writes models as ONNX, with
// inputs and with what LibTorch makes of them, for run_cases.mjs, and imports what it wrote. Without models, those of
// the tests.
//
// A model file, such as tests/zoo/build.py makes, has an input beside it, MODEL.input.pt. An ONNX file that another
// program wrote is imported and run; beside it lies the TorchScript model that it was made of. One whose FORM begins
// with `fixed` takes the batch size of MODEL.input.pt alone; `training` normalises by the batch in other programs, so
// it is only imported.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lathe/compression/onnx_export.hpp>

#include "case_files.hpp"
#include "onnx/probe.hpp"
#include "onnx_models.hpp"
#include "quantized_cases.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace lathe::compression;
using test_models::require;

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
  return {{"name", name},
          {"tolerance", test_models::kRuntimeTolerance},
          {"runs", test_models::write_runs(name, run, inputs, folder)}};
}

json quantized_case(const test_models::QuantizedCase& one, const fs::path& folder) {
  OnnxExportOptions options;
  options.quantization = one.quantization;
  const fs::path file = folder / (one.name + ".onnx");
  require(export_onnx(one.saved, one.inputs[0].slice(0, 0, 1), file, options), one.name);
  test_models::check_import_top1(file, one.simulation, one.inputs);
  return {{"name", one.name},
          {"same_top1", true},
          {"runs", test_models::write_runs(one.name, one.simulation, one.inputs, folder)}};
}

/// `resnet18` of `zoo/resnet18.traced.pt`
std::string model_name(const fs::path& file) {
  const std::string name = file.stem().string();
  return name.substr(0, name.find('.'));
}

torch::jit::Module loaded(const fs::path& file) {
  auto model = load_model(file);
  if (!model) throw std::runtime_error(model.error().message);
  model->eval();
  return *model;
}

at::Tensor example_of(const fs::path& file) {
  std::ifstream in(file.parent_path() / (model_name(file) + ".input.pt"), std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (bytes.empty()) throw std::runtime_error("there is no " + model_name(file) + ".input.pt beside it");
  return torch::jit::pickle_load(bytes).toTensor();
}

/// The TorchScript file that an ONNX file was made of.
fs::path original_of(const fs::path& file) {
  if (file.extension() != ".onnx") return file;
  for (const char* form : {".scripted.pt", ".traced.pt"}) {
    const fs::path original = file.parent_path() / (model_name(file) + form);
    if (fs::exists(original)) return original;
  }
  throw std::runtime_error("there is no TorchScript model beside it");
}

/// A float model whose outputs are large for its input is held to what is left of float32 after so many layers.
json file_case(const fs::path& file, const fs::path& folder) {
  const std::string name = file.stem().string();
  const fs::path written = folder / (name + ".onnx");
  auto model = loaded(original_of(file));
  const at::Tensor example = example_of(file);
  const bool foreign = file.extension() == ".onnx";
  if (foreign) {
    fs::create_symlink(fs::absolute(file), written);
  } else {
    require(export_onnx(model, example, written), name);
  }
  const auto run = [&](const at::Tensor& input) { return model.forward({input}); };
  std::vector<at::Tensor> inputs{example};
  if (name.find(".fixed") == std::string::npos) {
    inputs = {onnx_out::batch_of(example, 1), onnx_out::batch_of(example, 4)};
  }
  test_models::check_import(foreign ? file : written, run, inputs);
  if (name.ends_with(".training")) return nullptr;
  return {{"name", name},
          {"tolerance", test_models::kRuntimeTolerance},
          {"runs", test_models::write_runs(name, run, inputs, folder)}};
}

/// Cases that were written; those that could not be are told and counted.
class Cases {
 public:
  template <class Make>
  void add(const std::string& name, const Make& make) {
    try {
      if (json one = make(); !one.is_null()) cases_.push_back(std::move(one));
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

void add_quantized(Cases& cases, const std::vector<test_models::QuantizedCaseMaker>& makers, const fs::path& folder) {
  for (const auto& make : makers) cases.add(make.name, [&] { return quantized_case(make.make(), folder); });
}

void add_tests(Cases& cases, const fs::path& folder) {
  for (const int opset : {13, 17}) {
    for (const auto* models : {&test_models::onnx_networks(), &test_models::onnx_operators()})
      for (const auto& model : *models) cases.add(model.name, [&] { return float_case(model, opset, folder); });
  }
  add_quantized(cases, test_models::quantized_cases(), folder);
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  std::vector<std::string> files;
  std::vector<std::string> to_quantize;
  CLI::App app{"Writes models as ONNX, with inputs and outputs."};
  app.add_option("folder", folder)->required();
  app.add_option("files", files, "default: the models of the tests");
  app.add_option("--quantize", to_quantize, "models to be quantized by qat and the observer");
  CLI11_PARSE(app, argc, argv);

  const c10::NoGradGuard no_grad;
  fs::create_directories(folder);
  Cases cases;
  if (files.empty() && to_quantize.empty()) add_tests(cases, folder);
  for (const std::string& file : files) cases.add(file, [&] { return file_case(file, folder); });
  for (const std::string& file : to_quantize) {
    const std::string name = model_name(file);
    add_quantized(
        cases, test_models::quantized_cases_of(name, loaded(file), example_of(file).sizes().vec(), {"qat", "observer"}),
        folder);
  }
  cases.write(fs::path(folder) / "cases.json");
  return cases.failed() == 0 ? 0 : 1;
}
