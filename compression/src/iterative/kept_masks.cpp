#include <lathe/compression/kept_masks.hpp>

#include <ATen/ATen.h>

namespace lathe::compression {

KeptMasks::KeptMasks(const torch::jit::Module& model, const Masks& masks) {
  for (const Layer& layer : layers_of(model)) {
    const auto found = masks.find(layer.name);
    if (found == masks.end()) continue;
    const Mask& mask = found->second;
    if (layer.weight.defined() && mask.weight.defined()) masked_.push_back({layer.weight, mask.weight});
    if (layer.bias.defined() && mask.bias.defined()) masked_.push_back({layer.bias, mask.bias});
  }
  step();
}

void KeptMasks::after_backward() {
  for (auto& [tensor, mask] : masked_) {
    mask = mask.to(tensor.device());
    if (tensor.grad().defined()) tensor.grad().detach().mul_(mask);
  }
}

void KeptMasks::step() {
  for (auto& [tensor, mask] : masked_) {
    mask = mask.to(tensor.device());  // nothing where it is already
    tensor.detach().mul_(mask);
  }
}

}  // namespace lathe::compression
