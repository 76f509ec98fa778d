#include "measure/observed_run.hpp"

#include <string>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/model.hpp>

#include "graph/interpreter.hpp"

namespace lathe::compression {

Result<void> run_observed(const torch::jit::Module& model, const at::Tensor& example,
                          const std::function<Observer(const FlatGraph&)>& watch,
                          const std::function<void(const c10::IValue&)>& finish) {
  const at::NoGradGuard no_grad;
  torch::jit::Module copy = copy_model(model);
  copy.eval();
  const auto flat = FlatGraph::of(copy);
  if (!flat) return tl::unexpected(flat.error());
  try {
    const auto output = interpret(*flat, example, watch(*flat));
    if (finish) finish(output);
    return {};
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(
        fmt::format("counting: the model does not run on the example: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression
