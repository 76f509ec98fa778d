#include "training/best_epoch.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace lathe::compression {

void BestEpoch::reset() {
  epoch_.reset();
  kept_.clear();
  restore_compressor_ = nullptr;
  idle_ = 0;
}

void BestEpoch::consider(std::int64_t epoch, double value, const State& state) {
  const double delta = early_stop_ ? early_stop_->min_delta : 0;
  if (!epoch_ || value > reference_ + delta) {
    reference_ = value;
    idle_ = 0;
  } else {
    ++idle_;
  }
  if (epoch_ && value <= value_) return;
  epoch_ = epoch;
  value_ = value;
  if (!keeps_weights_) return;
  kept_.clear();
  for (const at::Tensor& tensor : state.tensors) kept_.emplace_back(tensor, tensor.detach().clone());
  restore_compressor_ = state.compressor == nullptr ? nullptr : state.compressor->remember();
}

bool BestEpoch::is_worn_out() const {
  return early_stop_ && idle_ >= early_stop_->patience;
}

void BestEpoch::restore() const {
  const c10::NoGradGuard no_grad;
  for (const auto& [tensor, copy] : kept_) tensor.detach().copy_(copy);
  if (restore_compressor_) restore_compressor_();
}

}  // namespace lathe::compression
