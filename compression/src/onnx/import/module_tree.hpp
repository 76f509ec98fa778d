// Grows a TorchScript model: a tree of modules under names that come from the file.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace torch::jit {
struct Module;
struct CompilationUnit;
}  // namespace torch::jit

namespace lathe::compression::onnx_in {

/// A layer that is to become a submodule. Its tensors' memory becomes the model's where it is whole and nobody else's.
struct LeafModule {
  std::string class_name;  ///< with PyTorch's path, such as `torch.nn.modules.conv.Conv2d`
  std::vector<std::pair<std::string, at::Tensor>> parameters;
  std::vector<std::pair<std::string, at::Tensor>> buffers;
  std::string forward;  ///< its body; lines are indented by two spaces
  std::string arguments = "x";
};

class ModuleTree {
 public:
  explicit ModuleTree(const std::string& model_name);
  ~ModuleTree();
  ModuleTree(const ModuleTree&) = delete;
  ModuleTree& operator=(const ModuleTree&) = delete;

  /// `name` as the file has it (`features/0/conv.weight`, `conv1_W:0`): without what says that it is a weight.
  [[nodiscard]] static std::string layer_name(const std::string& name);

  /// Adds a leaf at that path, or at one next to it when that is taken. Returns how the root's code reads it:
  /// `self.features.conv`.
  std::string add(const std::string& path, const LeafModule& leaf);

  /// A tensor of the root itself; returns how its code reads it.
  std::string add_parameter(const std::string& wanted, const at::Tensor& tensor);
  std::string add_buffer(const std::string& wanted, const at::Tensor& tensor);

  /// Compiles the root's forward. Throws what the compiler throws.
  [[nodiscard]] torch::jit::Module finish(const std::string& forward);

 private:
  [[nodiscard]] torch::jit::Module make(const std::string& class_name) const;
  [[nodiscard]] torch::jit::Module container(const std::vector<std::string>& path);
  [[nodiscard]] std::string free_attribute(const std::string& wanted);
  [[nodiscard]] at::Tensor own(const at::Tensor& tensor);

  std::shared_ptr<torch::jit::CompilationUnit> unit_;
  std::unique_ptr<torch::jit::Module> root_;    ///< its header is a large one for all the rules to read
  std::set<std::string> leaves_;                ///< dotted paths
  std::set<std::string> containers_;            ///< likewise, and of all that is above a leaf
  std::set<std::string> attributes_;            ///< of the root
  std::set<const c10::StorageImpl*> storages_;  ///< that a parameter or buffer has
};

}  // namespace lathe::compression::onnx_in
