#include "model_file.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <lathe/compression/model.hpp>

namespace lathe::zoo {
namespace {

namespace fs = std::filesystem;

at::Tensor read_tensor(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(fmt::format("cannot read {}; tests/zoo/build.py writes it", file.string()));
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  return torch::jit::pickle_load(bytes).toTensor();
}

}  // namespace

bool is_input_file(const fs::path& file) {
  return file.filename().string().ends_with(".input.pt");
}

ZooModel read_zoo_model(const fs::path& file) {
  const std::string form = file.stem().extension().string();
  const std::string name = file.stem().stem().string();
  if (form.empty()) throw std::runtime_error(fmt::format("{}: expected NAME.FORM.pt", file.string()));
  auto model = compression::load_model(file);
  if (!model) throw std::runtime_error(model.error().message);
  model->eval();
  return {name, form.substr(1), std::move(*model), read_tensor(file.parent_path() / (name + ".input.pt"))};
}

}  // namespace lathe::zoo
