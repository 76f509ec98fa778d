#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/layer_graph.hpp>

#include "graph/program.hpp"

namespace lathe::compression {
namespace {

using Clock = std::chrono::steady_clock;

/// One pass: what lies between two observations is the later node's.
std::map<std::string, double> time_pass(const FlatGraph& flat, const Program& program, const at::Tensor& example) {
  std::map<std::string, double> times;
  Clock::time_point last = Clock::now();
  (void)program.run(example, {}, [&](const torch::jit::Node* node, const Values&, const Values&) {
    const Clock::time_point now = Clock::now();
    const Origin* origin = flat.origin(node);
    times[origin == nullptr ? "" : origin->module] += std::chrono::duration<double, std::milli>(now - last).count();
    last = Clock::now();
  });
  return times;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Result<std::map<std::string, double>> module_times(const torch::jit::Module& model, const at::Tensor& example,
                                                   int runs) {
  const at::NoGradGuard no_grad;
  torch::jit::Module copy = copy_model(model);
  copy.eval();
  const auto flat = FlatGraph::of(copy);
  if (!flat) return tl::unexpected(flat.error());
  try {
    const Program program(*flat);
    (void)time_pass(*flat, program, example);
    std::map<std::string, std::vector<double>> passes;
    for (int run = 0; run < std::max(runs, 1); ++run)
      for (const auto& [module, time] : time_pass(*flat, program, example)) passes[module].push_back(time);
    std::map<std::string, double> times;
    for (auto& [module, values] : passes) times.emplace(module, median(values));
    return times;
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(fmt::format("timing: the model does not run on the example: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression
