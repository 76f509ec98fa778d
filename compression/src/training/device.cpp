#include <lathe/compression/device.hpp>

#include <charconv>
#include <optional>
#include <utility>

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

namespace lathe::compression {
namespace {

int cuda_devices() {
  return at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
}

/// Nullopt: not a device's name.
std::optional<int> cuda_index(const std::string& name) {
  if (name == "cuda") return 0;
  constexpr std::string_view prefix = "cuda:";
  if (!name.starts_with(prefix)) return std::nullopt;
  int index = 0;
  const char* end = name.data() + name.size();
  const auto [stopped, code] = std::from_chars(name.data() + prefix.size(), end, index);
  if (code != std::errc() || stopped != end || index < 0) return std::nullopt;
  return index;
}

}  // namespace

Result<c10::Device> find_device(const std::string& name) {
  const int devices = cuda_devices();
  if (name == "cpu" || (name == "auto" && devices == 0)) return c10::Device(c10::kCPU);
  const auto index = name == "auto" ? std::optional(0) : cuda_index(name);
  if (!index) return fail(fmt::format("device {}: expected cpu, cuda, cuda:N or auto", name));
  if (devices == 0) {
    return fail(fmt::format("device {}: {}; expected cpu or auto", name,
                            at::hasCUDA() ? "no GPU was found" : "this LibTorch has no CUDA"));
  }
  if (*index >= devices) {
    return fail(fmt::format("device {}: there are {} GPUs, 0 to {}", name, devices, devices - 1));
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(*index));
}

c10::Device device_of(const torch::jit::Module& model) {
  for (const at::Tensor& parameter : model.parameters()) return parameter.device();
  for (const at::Tensor& buffer : model.buffers()) return buffer.device();
  return c10::Device(c10::kCPU);
}

OnDevice::OnDevice(torch::jit::Module model, c10::Device device)
    : model_(std::move(model)), home_(device_of(model_)), is_moved_(home_ != device) {
  if (is_moved_) model_.to(device);
}

OnDevice::~OnDevice() {
  if (!is_moved_) return;
  for (const at::Tensor& parameter : model_.parameters()) parameter.mutable_grad().reset();
  model_.to(home_);
}

}  // namespace lathe::compression
