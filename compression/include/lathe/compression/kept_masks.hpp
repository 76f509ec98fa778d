// Masks that are made already, kept in force while a model trains.
#pragma once

#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>

namespace lathe::compression {

class KeptMasks final : public Compressor {
 public:
  /// Zeroes what is masked at once. Masks of layers that the model does not have are ignored.
  KeptMasks(const torch::jit::Module& model, const Masks& masks);

  /// No gradient, hence no momentum, for what is masked.
  void after_backward() override;
  /// Momentum and weight decay gathered before must not bring weights back.
  void step() override;

 private:
  struct Masked {
    at::Tensor tensor;
    at::Tensor mask;
  };

  std::vector<Masked> masked_;
};

}  // namespace lathe::compression
