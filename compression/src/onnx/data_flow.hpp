// Which tensors of a run hang on the model's input, and which would be the same for any.
#pragma once

#include <unordered_map>

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>

#include "graph/program.hpp"

namespace lathe::compression::onnx_out {

/// Tells tensors apart by their TensorImpl without keeping their memory: an entry holds on to the address only.
template <class T>
class TensorMap {
 public:
  T& operator[](const at::Tensor& tensor) {
    auto& entry = entries_[tensor.unsafeGetTensorImpl()];
    if (!entry.first) entry.first = Weak(tensor.getIntrusivePtr());
    return entry.second;
  }
  [[nodiscard]] const T* find(const at::Tensor& tensor) const {
    const auto found = entries_.find(tensor.unsafeGetTensorImpl());
    return found == entries_.end() ? nullptr : &found->second.second;
  }
  template <class Callable>
  void for_each(const Callable& callable) {
    for (auto& [address, entry] : entries_) callable(address, entry.second);
  }

 private:
  class Weak {
   public:
    Weak() : pointer_(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>()) {}
    explicit Weak(const c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>& strong)
        : pointer_(strong), set_(true) {}
    explicit operator bool() const { return set_; }

   private:
    c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl> pointer_;
    bool set_ = false;
  };

  std::unordered_map<const c10::TensorImpl*, std::pair<Weak, T>> entries_;
};

/// Every tensor in the value, those inside lists, tuples and dicts included, in order.
[[nodiscard]] std::vector<at::Tensor> all_tensors(const Values& values);

/// Whether the node changes its first argument, a tensor, in place.
[[nodiscard]] bool is_in_place(const torch::jit::Node* node, const Values& inputs);

class DataFlow {
 public:
  void add_input(const at::Tensor& tensor) { data_[tensor] = true; }
  [[nodiscard]] bool is_data(const at::Tensor& tensor) const;
  [[nodiscard]] bool any_data(const Values& values) const;
  /// After each node that runs; `forced`: its outputs count as data whatever went in.
  void step(const torch::jit::Node* node, const Values& inputs, const Values& outputs, bool forced);

 private:
  TensorMap<bool> data_;
};

}  // namespace lathe::compression::onnx_out
