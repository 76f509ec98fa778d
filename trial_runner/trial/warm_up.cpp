#include "warm_up.hpp"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/trainer.hpp>

namespace lathe::trial {
namespace {

/// Puts the default generator back: a trial must draw the same numbers as in a process of its own.
class KeptRandomState {
 public:
  KeptRandomState() : generator_(at::globalContext().defaultGenerator(at::kCPU)), state_(generator_.get_state()) {}
  ~KeptRandomState() { generator_.set_state(state_); }
  KeptRandomState(const KeptRandomState&) = delete;
  KeptRandomState& operator=(const KeptRandomState&) = delete;

 private:
  at::Generator generator_;
  at::Tensor state_;
};

}  // namespace

Result<void> warm_up(const Setup& setup) {
  const KeptRandomState kept;
  auto options = training_options(setup.config);
  if (!options) return tl::unexpected(options.error());
  options->epochs = 1;
  const auto batch = setup.train.slice(0, std::min(options->batch_size, setup.train.size()));
  const auto data = compression::Dataset::create(batch.inputs, batch.targets, {});
  if (!data) return tl::unexpected(data.error());
  auto model = compression::copy_model(setup.model);
  if (auto trained = compression::train(model, *data, *options, nullptr, {}); !trained) return trained;
  model.eval();
  if (const auto quality = compression::evaluate(model, *data, options->batch_size); !quality) {
    return tl::unexpected(quality.error());
  }
  return {};
}

}  // namespace lathe::trial
