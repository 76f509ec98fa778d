// One model of the zoo under random masks: is the sped-up model what the masked one is?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include "random_masks.hpp"

namespace lathe::zoo {

struct CheckOptions {
  double sparsity = 0.3;
  int seeds = 5;
  bool latency = false;  ///< time both models, on the threads that are set
  int runs = 20;         ///< timed runs of each
};

/// Figures are means over the seeds that passed.
struct Outcome {
  MaskKind kind = MaskKind::Plain;
  int passed = 0;
  int tried = 0;
  double parameters_before = 0;
  double parameters_after = 0;
  double macs_before = 0;
  double macs_after = 0;
  double kept_channels = 0;  ///< masked ones that could not go
  double seconds = 0;        ///< of speed-up, its own comparison included
  double difference = 0;     ///< largest of all, relative to max(1, largest output of the masked model)
  double original_ms = 0;    ///< 0 unless latency is asked for
  double result_ms = 0;
  std::vector<std::string> failures;  ///< each reason once
};

/// A seed passes when speed-up succeeds, parameters have become fewer, the masks have changed what the model computes,
/// and the result differs from the masked model by at most 1e-5 on the example and on one other batch.
[[nodiscard]] Outcome check(const torch::jit::Module& model, const at::Tensor& example, MaskKind kind,
                            const CheckOptions& options);

}  // namespace lathe::zoo
