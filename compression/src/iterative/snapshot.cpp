#include "iterative/snapshot.hpp"

#include <ATen/ATen.h>

namespace lathe::compression {

Snapshot::Snapshot(const torch::jit::Module& model) {
  for (const at::Tensor& parameter : model.parameters()) saved_.push_back({parameter.detach(), {}});
  for (const at::Tensor& buffer : model.buffers()) saved_.push_back({buffer.detach(), {}});
  for (Saved& saved : saved_) saved.values = saved.tensor.clone();
}

void Snapshot::restore() const {
  for (const auto& [tensor, values] : saved_) tensor.copy_(values);
}

void Snapshot::retake() {
  for (const auto& [tensor, values] : saved_) values.copy_(tensor);
}

}  // namespace lathe::compression
