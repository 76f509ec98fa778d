#include <lathe/compression/model.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <sstream>
#include <system_error>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/import.h>

#include <lathe/compression/onnx_import.hpp>

namespace lathe::compression {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHowTo = "save one with torch.jit.script(model).save(\"model.pt\")";

/// LibTorch's messages carry a C++ stack trace from the second line on; people need the first.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string read_head(const fs::path& file, std::size_t bytes) {
  std::ifstream in(file, std::ios::binary);
  std::string head(bytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(bytes));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

bool is_zip(const std::string& head) {
  return head.starts_with("PK\x03\x04");
}

/// A zip archive ends with a directory of its entries, whose signature stands in the last 64 KiB.
bool has_zip_end(const fs::path& file) {
  constexpr std::streamoff kFarthest = (1 << 16) + 22;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  in.seekg(std::max<std::streamoff>(0, static_cast<std::streamoff>(in.tellg()) - kFarthest));
  const std::string tail((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return tail.find("PK\x05\x06") != std::string::npos;
}

/// A pickle of protocol 2 and later, which is what torch.save wrote before it wrote zip archives.
bool is_bare_pickle(const std::string& head) {
  return head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
}

/// Whether the bytes occur in the file; entry names of a zip archive stand in it as they are.
bool contains(const fs::path& file, std::string_view needle) {
  std::ifstream in(file, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return all.find(needle) != std::string::npos;
}

Error pickle_error(const fs::path& file) {
  return {
      fmt::format("{}: this is a pickle written by torch.save (a state_dict or a Python object), which holds weights "
                  "without a program; load it in Python and {}",
                  file.string(), kHowTo)};
}

/// Why a file cannot be loaded, as far as its outside tells.
Result<void> check_file(const fs::path& file) {
  std::error_code code;
  const auto status = fs::status(file, code);
  if (!fs::exists(status)) return fail(fmt::format("{}: no such file", file.string()));
  if (fs::is_directory(status))
    return fail(fmt::format("{}: is a directory, expected a TorchScript file", file.string()));
  if (!std::ifstream(file, std::ios::binary))
    return fail(fmt::format("{}: cannot be read (permissions?)", file.string()));
  const std::string head = read_head(file, 4);
  if (head.empty()) return fail(fmt::format("{}: the file is empty, expected TorchScript; {}", file.string(), kHowTo));
  if (is_bare_pickle(head)) return tl::unexpected(pickle_error(file));
  if (!is_zip(head)) return fail(fmt::format("{}: not a TorchScript file (no zip archive); {}", file.string(), kHowTo));
  if (!has_zip_end(file))
    return fail(fmt::format("{}: the file is truncated (a zip archive without its end)", file.string()));
  return {};
}

/// What to say when LibTorch refused a zip archive.
Error explain_refusal(const fs::path& file, const std::string& reason) {
  if (contains(file, "/data.pkl") && !contains(file, "/constants.pkl")) return pickle_error(file);
  return {fmt::format("{}: LibTorch cannot load it as TorchScript: {}; {}", file.string(), first_line(reason), kHowTo)};
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row.back();
}

at::Tensor own_tensor(const torch::jit::Module& module, const char* name) {
  if (!module.hasattr(name)) return {};
  const auto value = module.attr(name);
  return value.isTensor() ? value.toTensor() : at::Tensor{};
}

Layer layer_of(const std::string& name, const torch::jit::Module& module) {
  return {name, module.type()->name()->name(), own_tensor(module, "weight"), own_tensor(module, "bias")};
}

/// Turns whatever the callable throws into an error that names the file.
template <class Callable>
Result<void> guarded(const fs::path& file, const char* doing, const Callable& callable) {
  try {
    callable();
    return {};
  } catch (const std::exception& error) {
    return fail(fmt::format("{}: {}: {}", file.string(), doing, first_line(error.what())));
  }
}

}  // namespace

Result<torch::jit::Module> load_model(const fs::path& file) {
  if (file.extension() == ".onnx") return import_onnx(file);
  if (auto checked = check_file(file); !checked) return tl::unexpected(checked.error());
  try {
    auto model = torch::jit::load(file.string());
    if (!model.find_method("forward")) return fail(fmt::format("{}: the model has no method `forward`", file.string()));
    return model;
  } catch (const std::exception& error) {
    return tl::unexpected(explain_refusal(file, error.what()));
  }
}

Result<void> save_model(const torch::jit::Module& model, const fs::path& file) {
  fs::path temporary = file;
  temporary += ".part";
  auto saved = guarded(file, "cannot be written", [&] {
    model.save(temporary.string());
    fs::rename(temporary, file);
  });
  std::error_code ignored;
  if (!saved) fs::remove(temporary, ignored);
  return saved;
}

torch::jit::Module copy_model(const torch::jit::Module& model) {
  std::stringstream stream;
  model.save(stream);
  return torch::jit::load(stream);
}

std::vector<Layer> layers_of(const torch::jit::Module& model) {
  std::vector<Layer> layers;
  for (const auto& [name, module] : model.named_modules()) {
    Layer layer = layer_of(name, module);
    if (layer.weight.defined() || layer.bias.defined()) layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<Layer> modules_of(const torch::jit::Module& model) {
  std::vector<Layer> modules;
  for (const auto& [name, module] : model.named_modules()) {
    if (!name.empty()) modules.push_back(layer_of(name, module));
  }
  return modules;
}

std::vector<std::string> nearest_names(const std::string& name, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& candidate : names) ranked.emplace_back(edit_distance(name, candidate), candidate);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(kMost, ranked.size()); ++i) nearest.push_back(ranked[i].second);
  return nearest;
}

const std::vector<std::string>& default_op_types() {
  static const std::vector<std::string> types{"Conv1d",          "Conv2d",          "Conv3d",      "ConvTranspose1d",
                                              "ConvTranspose2d", "ConvTranspose3d", "Linear",      "Bilinear",
                                              "PReLU",           "Embedding",       "EmbeddingBag"};
  return types;
}

}  // namespace lathe::compression
