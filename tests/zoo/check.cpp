#include "check.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/pruning.hpp>
#include <lathe/compression/speedup.hpp>

namespace lathe::zoo {
namespace {

using compression::fail;
using compression::Result;
using torch::jit::Module;

constexpr double kTolerance = 1e-5;

/// Another batch of the example's shape and kind: tokens in another order, or noise.
at::Tensor another_batch(const at::Tensor& example, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  if (example.is_floating_point()) return at::randn(example.sizes(), generator);
  const at::Tensor order = at::randperm(example.numel(), generator, at::kLong);
  return example.flatten().index_select(0, order).view(example.sizes());
}

/// |a - b| at its largest, relative to max(1, |a| at its largest); infinite when a number is not finite.
double relative_difference(Module a, Module b, const at::Tensor& batch) {
  const at::Tensor expected = a.forward({batch}).toTensor();
  const at::Tensor found = b.forward({batch}).toTensor();
  if (expected.sizes() != found.sizes()) return std::numeric_limits<double>::infinity();
  const double difference =
      (expected - found).abs().max().item<double>() / std::max(1.0, expected.abs().max().item<double>());
  return std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
}

Result<double> macs_of(const Module& model, const at::Tensor& example) {
  const auto layers = compression::count_macs(model, example);
  if (!layers) return tl::unexpected(layers.error());
  return static_cast<double>(compression::total_macs(*layers));
}

/// The largest difference on two batches. Errors: a comparison that fails, or that could not have failed.
Result<double> compare(const Module& model, const Module& masked, const Module& result, const at::Tensor& example,
                       std::uint64_t seed) {
  if (relative_difference(model, masked, example) <= 100 * kTolerance)
    return fail("the masked model computes what the original does; the comparison tells nothing");
  const double difference = std::max(relative_difference(masked, result, example),
                                     relative_difference(masked, result, another_batch(example, seed)));
  if (difference <= kTolerance) return difference;
  return fail(fmt::format("differs from the masked model by {:.3g} of its largest output", difference));
}

Result<void> check_once(const Module& model, const at::Tensor& example, std::uint64_t seed, const CheckOptions& options,
                        Outcome& sums) {
  const auto masks = random_masks(model, sums.kind, options.sparsity, example, seed);
  if (!masks) return tl::unexpected(masks.error());
  const auto start = std::chrono::steady_clock::now();
  const auto report = compression::speed_up(model, *masks, example);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!report) return tl::unexpected(report.error());
  const auto before = compression::count_parameters(model);
  const auto after = compression::count_parameters(report->model);
  if (after >= before) return fail("nothing was cut");
  const Module masked = compression::copy_model(model);
  compression::apply_masks(masked, *masks);
  const auto difference = compare(model, masked, report->model, example, seed);
  if (!difference) return tl::unexpected(difference.error());
  const auto macs_before = macs_of(model, example);
  const auto macs_after = macs_of(report->model, example);
  if (!macs_before) return tl::unexpected(macs_before.error());
  if (!macs_after) return tl::unexpected(macs_after.error());
  if (options.latency) {
    const auto times = compression::compare_latency(model, report->model, example.narrow(0, 0, 1),
                                                    {.runs = options.runs, .warmup = 3});
    sums.original_ms += times.original_ms;
    sums.result_ms += times.compressed_ms;
  }
  sums.parameters_before += static_cast<double>(before);
  sums.parameters_after += static_cast<double>(after);
  sums.macs_before += *macs_before;
  sums.macs_after += *macs_after;
  for (const auto& kept : report->kept) sums.kept_channels += static_cast<double>(kept.channels);
  sums.seconds += seconds.count();
  sums.difference = std::max(sums.difference, *difference);
  return {};
}

}  // namespace

Outcome check(const Module& model, const at::Tensor& example, MaskKind kind, const CheckOptions& options) {
  const at::NoGradGuard no_grad;
  Outcome outcome;
  outcome.kind = kind;
  for (; outcome.tried < options.seeds; ++outcome.tried) {
    auto done = [&]() -> Result<void> {
      try {
        return check_once(model, example, static_cast<std::uint64_t>(outcome.tried) + 1, options, outcome);
      } catch (const std::exception& error) {
        const std::string reason = error.what();
        return fail("unexpected: " + reason.substr(0, reason.find('\n')));
      }
    }();
    auto& failures = outcome.failures;
    if (done)
      ++outcome.passed;
    else if (std::find(failures.begin(), failures.end(), done.error().message) == failures.end())
      failures.push_back(done.error().message);
  }
  for (double* sum : {&outcome.parameters_before, &outcome.parameters_after, &outcome.macs_before, &outcome.macs_after,
                      &outcome.kept_channels, &outcome.seconds, &outcome.original_ms, &outcome.result_ms})
    *sum /= std::max(outcome.passed, 1);
  return outcome;
}

}  // namespace lathe::zoo
