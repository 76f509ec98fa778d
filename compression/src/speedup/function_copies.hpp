// Copies of the functions that methods call, in a compilation unit of their own.
#pragma once

#include <memory>
#include <unordered_map>

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/ir/ir.h>

namespace lathe::compression {

class FunctionCopies {
 public:
  explicit FunctionCopies(std::shared_ptr<torch::jit::CompilationUnit> unit) : unit_(std::move(unit)) {}

  /// Makes every prim::CallFunction in the block call a copy. Throws std::runtime_error for functions that call
  /// themselves.
  void redirect_calls(torch::jit::Block* block);

 private:
  torch::jit::Function* copy_of(torch::jit::Function& function);
  torch::jit::Function* make_copy(torch::jit::Function& function);
  [[nodiscard]] bool says_sizes(torch::jit::Function& function);
  [[nodiscard]] bool says_sizes(torch::jit::Block* block);

  std::shared_ptr<torch::jit::CompilationUnit> unit_;
  std::unordered_map<torch::jit::Function*, torch::jit::Function*> copies_;
  std::unordered_map<torch::jit::Function*, bool> sized_;
  int depth_ = 0;
};

}  // namespace lathe::compression
