#include <lathe/compression/measure.hpp>

namespace lathe::compression {

std::int64_t count_parameters(const torch::jit::Module& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  return count;
}

std::int64_t count_nonzero_parameters(const torch::jit::Module& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.detach().ne(0).sum().item<std::int64_t>();
  return count;
}

}  // namespace lathe::compression
