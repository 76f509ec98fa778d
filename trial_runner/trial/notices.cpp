#include "notices.hpp"

#include <iostream>

#include <lathe/compression/evaluate.hpp>

#include "blas_check.hpp"
#include "json_file.hpp"

namespace lathe::trial {

void warn(std::string_view message) {
  std::cerr << "lathe-trial: warning: " << message << std::endl;
}

void warn_about_blas() {
  const auto maps = read_text("/proc/self/maps");
  if (!maps) return;
  if (const auto warning = blas_warning(*maps)) warn(*warning);
}

Result<void> warn_about_mode(const Setup& setup) {
  constexpr std::int64_t records = 8;
  if (setup.test.size() < 2) return {};
  const auto unsteady = compression::behaves_as_in_training(setup.model, example_inputs(setup.test, records));
  if (!unsteady) return tl::unexpected(unsteady.error());
  if (*unsteady) {
    warn(
        "the model's output is random or depends on the batch even in eval mode, as when a model is traced in training "
        "mode; call model.eval() before torch.jit.trace, or use torch.jit.script");
  }
  return {};
}

}  // namespace lathe::trial
