// Where models are run.
#pragma once

#include <string>

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// `cpu`, `cuda` (the first), `cuda:N`, or `auto` (cuda where there is one, else cpu). Errors: another name, CUDA that
/// this LibTorch or machine does not have.
[[nodiscard]] Result<c10::Device> find_device(const std::string& name);

/// Where the model's parameters are, or its buffers; the CPU when it has neither.
[[nodiscard]] c10::Device device_of(const torch::jit::Module& model);

/// Has a model on a device for as long as a scope lasts, and puts it back then, without gradients if it was moved.
/// Parameters stay the same tensors, so that optimizers and layers keep hold of them.
class OnDevice {
 public:
  /// Throws c10::Error when the device has not enough memory.
  OnDevice(torch::jit::Module model, c10::Device device);
  ~OnDevice();
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  torch::jit::Module model_;
  c10::Device home_;
  bool is_moved_;
};

}  // namespace lathe::compression
