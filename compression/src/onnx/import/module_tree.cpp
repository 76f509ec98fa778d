#include "onnx/import/module_tree.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>

namespace lathe::compression::onnx_in {
namespace {

/// Parts of a path that have a meaning of their own in a module.
bool is_reserved(const std::string& part) {
  static const std::set<std::string> reserved{"forward",     "training",           "weight", "bias", "running_mean",
                                              "running_var", "num_batches_tracked"};
  return reserved.contains(part);
}

/// Letters, digits and underscores; what begins with a digit is read by getattr.
std::string clean(const std::string& part) {
  std::string name;
  for (const unsigned char c : part) name += std::isalnum(c) != 0 && c < 128 ? static_cast<char>(c) : '_';
  if (name.empty()) name = "_";
  return is_reserved(name) ? name + "_" : name;
}

std::vector<std::string> split(const std::string& name) {
  constexpr std::size_t kMostParts = 32;
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if ((c != '.' && c != '/') || parts.size() == kMostParts) {
      parts.back() += c;
    } else if (!parts.back().empty()) {
      parts.emplace_back();
    }
  }
  if (parts.back().empty() && parts.size() > 1) parts.pop_back();
  for (std::string& part : parts) part = clean(part);
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::size_t count) {
  std::string path;
  for (std::size_t i = 0; i < count; ++i) path += (i == 0 ? "" : ".") + parts[i];
  return path;
}

/// PyTorch's names of nodes, `/features/features.0/features.0.1/Conv`, where each part that begins with the one before
/// takes its place: `features.0.1/Conv`.
std::string without_repetitions(const std::string& name) {
  if (!name.starts_with('/')) return name;
  std::vector<std::string> kept;
  for (std::size_t from = 1; from <= name.size();) {
    const std::size_t end = std::min(name.find('/', from), name.size());
    std::string part = name.substr(from, end - from);
    if (!kept.empty() && part.starts_with(kept.back() + ".")) kept.pop_back();
    kept.push_back(std::move(part));
    from = end + 1;
  }
  std::string path;
  for (const std::string& part : kept) path += (path.empty() ? "" : "/") + part;
  return path;
}

/// getattr takes any name, also words of the language and numbers.
std::string attribute(const std::string& object, const std::string& name) {
  return fmt::format("getattr({}, \"{}\")", object, name);
}

}  // namespace

ModuleTree::ModuleTree(const std::string& model_name)
    : unit_(std::make_shared<torch::jit::CompilationUnit>()),
      root_(std::make_unique<torch::jit::Module>(make(clean(model_name)))) {}

ModuleTree::~ModuleTree() = default;

torch::jit::Module ModuleTree::make(const std::string& class_name) const {
  torch::jit::Module module(c10::QualifiedName("__torch__." + class_name), unit_, /*shouldMangle=*/true);
  module.register_attribute("training", c10::BoolType::get(), false);
  return module;
}

std::string ModuleTree::layer_name(const std::string& name) {
  static constexpr std::array<std::string_view, 29> kEndings{":0",
                                                             ".weight_quantized",
                                                             ".weight",
                                                             "/weight",
                                                             "_weight",
                                                             ".bias",
                                                             "/ReadVariableOp",
                                                             "/Conv2D",
                                                             "/MatMul",
                                                             "/kernel",
                                                             "_W",
                                                             "_w",
                                                             ".kernel",
                                                             "/W",
                                                             "/BiasAdd",
                                                             "/Reshape",
                                                             "__",
                                                             "_quantized",
                                                             "/gamma",
                                                             "/Conv",
                                                             "/Gemm",
                                                             "/depthwise_kernel",
                                                             "/BatchNormalization",
                                                             "/LayerNormalization",
                                                             "/InstanceNormalization",
                                                             "/ConvTranspose",
                                                             "/FusedBatchNormV3",
                                                             "/Tensordot",
                                                             "/ReadVariableOp_1"};
  const std::string path = without_repetitions(name);
  std::string_view rest = path;
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (const std::string_view ending : kEndings) {
      if (rest.size() <= ending.size() || !rest.ends_with(ending)) continue;
      rest.remove_suffix(ending.size());
      shorter = true;
    }
  }
  return std::string(rest);
}

torch::jit::Module ModuleTree::container(const std::vector<std::string>& path) {
  torch::jit::Module module = *root_;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (!module.hasattr(path[i])) module.register_module(path[i], make("torch.nn.modules.module.Module"));
    module = module.attr(path[i]).toModule();
    containers_.insert(join(path, i + 1));
  }
  return module;
}

std::string ModuleTree::add(const std::string& path, const LeafModule& leaf) {
  std::vector<std::string> parts = split(path);
  const auto is_taken = [&] {
    const std::string whole = join(parts, parts.size());
    if (leaves_.contains(whole) || containers_.contains(whole)) return true;
    return parts.size() == 1 && attributes_.contains(whole);
  };
  // A leaf has no children, and neither has a tensor of the root: what would be one stands beside it.
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (!leaves_.contains(join(parts, i + 1)) && (i > 0 || !attributes_.contains(parts[0]))) continue;
    for (; i + 1 < parts.size(); parts.pop_back()) parts[parts.size() - 2] += "_" + parts.back();
  }
  const std::string wanted = parts.back();
  for (int number = 1; is_taken(); ++number) parts.back() = fmt::format("{}_{}", wanted, number);

  torch::jit::Module module = make(leaf.class_name);
  for (const auto& [name, tensor] : leaf.parameters)
    module.register_parameter(name, own(tensor).set_requires_grad(true), /*is_buffer=*/false);
  for (const auto& [name, tensor] : leaf.buffers) module.register_buffer(name, own(tensor));
  module.define(fmt::format("def forward(self, {}):\n{}", leaf.arguments, leaf.forward));
  container(parts).register_module(parts.back(), module);
  leaves_.insert(join(parts, parts.size()));
  std::string code = "self";
  for (const std::string& part : parts) code = attribute(code, part);
  return code;
}

/// Weights may take most of the machine's memory: only what is a part of something else is copied.
at::Tensor ModuleTree::own(const at::Tensor& tensor) {
  const bool is_whole = tensor.is_contiguous() && tensor.storage().nbytes() == tensor.nbytes();
  const bool is_new = is_whole && storages_.insert(tensor.storage().unsafeGetStorageImpl()).second;
  return is_new ? tensor.detach() : tensor.detach().clone(at::MemoryFormat::Contiguous);
}

std::string ModuleTree::free_attribute(const std::string& wanted) {
  const std::string base = clean(wanted);
  std::string name = base;
  for (int number = 1; attributes_.contains(name) || root_->hasattr(name); ++number)
    name = fmt::format("{}_{}", base, number);
  attributes_.insert(name);
  return name;
}

std::string ModuleTree::add_parameter(const std::string& wanted, const at::Tensor& tensor) {
  const std::string name = free_attribute(wanted);
  root_->register_parameter(name, own(tensor).set_requires_grad(true), /*is_buffer=*/false);
  return attribute("self", name);
}

std::string ModuleTree::add_buffer(const std::string& wanted, const at::Tensor& tensor) {
  const std::string name = free_attribute(wanted);
  root_->register_buffer(name, own(tensor));
  return attribute("self", name);
}

torch::jit::Module ModuleTree::finish(const std::string& forward) {
  root_->define(forward);
  return *root_;
}

}  // namespace lathe::compression::onnx_in
