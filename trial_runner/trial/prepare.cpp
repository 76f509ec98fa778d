#include "prepare.hpp"

#include <algorithm>
#include <iostream>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/proto/search_space.hpp>

#include "baseline.hpp"
#include "json_file.hpp"
#include "metrics.hpp"
#include "notices.hpp"
#include "reporter.hpp"
#include "search_check.hpp"
#include "setup.hpp"
#include "threads.hpp"

namespace lathe::trial {
namespace {

Result<void> check_weights(const Setup& setup) {
  const auto layers = compression::layers_of(setup.model);
  if (layers.empty()) {
    return fail(
        fmt::format("{}: the model has no layer with parameters of its own; a frozen model cannot be compressed",
                    setup.config.model.string()));
  }
  for (const auto& layer : layers) {
    for (const at::Tensor& tensor : {layer.weight, layer.bias}) {
      if (!tensor.defined() || at::isfinite(tensor.detach()).all().item<bool>()) continue;
      return fail(fmt::format("{}: layer {} holds NaN or infinite values", setup.config.model.string(), layer.name));
    }
  }
  return {};
}

/// Runs the model once on each part, so that shapes and labels that do not fit are found now.
Result<void> check_forward(Setup& setup) {
  const auto& shape = setup.config.input_shape;
  for (const auto& [name, data] : {std::pair{"train", &setup.train}, std::pair{"test", &setup.test}}) {
    std::vector<std::int64_t> first(static_cast<std::size_t>(std::min(shape.front(), data->size())));
    std::iota(first.begin(), first.end(), 0);
    const auto read = data->read(first, std::nullopt);
    if (!read) return fail(fmt::format("data.{}: {}", name, read.error().message));
    const compression::Batch& batch = *read;
    const auto outputs = compression::run_model(setup.model, batch, loss_of(setup.config));
    if (!outputs) return fail(fmt::format("data.{}: {}", name, outputs.error().message));
    if (compression::tells_classes_apart(loss_of(setup.config)) && data->largest_target() >= outputs->size(1)) {
      return fail(fmt::format("data.{}: label {} is out of range: the model tells {} classes apart, 0 to {}", name,
                              data->largest_target(), outputs->size(1), outputs->size(1) - 1));
    }
  }
  return {};
}

Result<void> check_space(const Environment& environment, const Setup& setup) {
  if (!environment.search_space) return {};
  const auto json = read_json(*environment.search_space);
  if (!json) return tl::unexpected(json.error());
  const auto space = proto::parse_search_space(*json);
  if (!space) return fail_in(environment.search_space->string(), space.error());
  const auto layers = compression::layers_of(setup.model);
  const auto modules = compression::modules_of(setup.model);
  const auto warnings = check_search_space(*space, plan_input(setup.config, layers, modules));
  if (!warnings) return tl::unexpected(warnings.error());
  for (const std::string& warning : *warnings) std::cout << "warning: " << warning << std::endl;
  return {};
}

}  // namespace

Result<void> prepare(const Environment& environment) {
  const auto config = read_compression_config(environment.compression_config);
  if (!config) return tl::unexpected(config.error());
  auto host = QuietHost::enter(environment.host_directory, [](const auto& line) { std::cout << line << std::endl; });
  if (!host) return tl::unexpected(host.error());
  set_threads(static_cast<int>(config->threads));
  auto setup = load_setup(*config);
  if (!setup) return tl::unexpected(setup.error());
  if (auto options = training_options(*config); !options) return tl::unexpected(options.error());
  if (auto sound = check_weights(*setup); !sound) return sound;
  if (auto sound = check_space(environment, *setup); !sound) return sound;
  if (auto runs = check_forward(*setup); !runs) return runs;
  if (auto warned = warn_about_mode(*setup); !warned) return warned;
  const auto baseline = measure_baseline(*setup, *host);
  if (!baseline) return tl::unexpected(baseline.error());
  std::cout << fmt::format("original: accuracy {}, loss {:.4f}, {} parameters, {} MACs, {} bytes, {:.3f} ms",
                           accuracy_text(baseline->accuracy), baseline->loss, baseline->parameters, baseline->macs,
                           baseline->size_bytes, baseline->latency_ms)
            << std::endl;
  const auto file = environment.baseline.value_or(environment.output_directory / "baseline.json");
  if (auto written = write_json(file, to_json(*baseline)); !written) return written;
  return Reporter(environment.system_directory, environment.trial_job_id, 0).final(to_json(*baseline));
}

}  // namespace lathe::trial
