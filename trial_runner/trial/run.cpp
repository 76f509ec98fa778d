#include "run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/int8.hpp>
#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/speedup.hpp>
#include <lathe/compression/trainer.hpp>
#include <lathe/proto/trial_files.hpp>

#include "algorithms/plan.hpp"
#include "baseline.hpp"
#include "costs.hpp"
#include "json_file.hpp"
#include "metrics.hpp"
#include "notices.hpp"
#include "progress.hpp"
#include "quiet_host.hpp"
#include "report.hpp"
#include "reporter.hpp"
#include "setup.hpp"
#include "steps/compress.hpp"
#include "steps/deliver.hpp"
#include "threads.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Records that speed-up runs the graph on, and that the result is compared on.
constexpr std::int64_t kExampleRecords = 8;

constexpr const char* kModelFile = "compressed.pt";

/// A compressed model differs from the masked one by rounding only: relative to its largest output, at least 1.
constexpr double kTolerance = 1e-5;

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  std::cout << fmt::format(format, std::forward<Args>(args)...) << std::endl;
}

Result<proto::ParameterRecord> read_parameters(const Environment& environment) {
  const auto file = environment.system_directory / "parameter.cfg";
  const auto text = read_text(file);
  if (!text) return tl::unexpected(text.error());
  auto record = proto::parse_parameter_record(*text);
  if (!record) return fail_in(file.string(), record.error());
  return std::move(*record);
}

/// The steps of one trial and what they hand on to each other.
class Trial {
 public:
  Trial(const Environment& environment, Setup setup, proto::ParameterRecord record, QuietHost host)
      : environment_(environment),
        host_(std::move(host)),
        setup_(std::move(setup)),
        record_(std::move(record)),
        reporter_(environment.system_directory, environment.trial_job_id, record_.parameter_id),
        model_(compression::copy_model(setup_.model)),
        example_(example_inputs(setup_.test, kExampleRecords)) {}

  Result<void> run() {
    using Step = Result<void> (Trial::*)();
    for (const Step step : {&Trial::plan, &Trial::take_baseline, &Trial::compress, &Trial::export_model,
                            &Trial::deliver_others, &Trial::measure, &Trial::report}) {
      if (auto done = (this->*step)(); !done) return done;
    }
    return {};
  }

 private:
  Result<void> plan() {
    const auto layers = compression::layers_of(model_);
    const auto modules = compression::modules_of(model_);
    auto plan = make_plan(record_.parameters, plan_input(setup_.config, layers, modules));
    if (!plan) return tl::unexpected(plan.error());
    plan_ = std::move(*plan);
    const auto lines = describe_layers(plan_);
    say("algorithm {}, {} layers", name_of(plan_.algorithm), lines.size());
    for (const std::string& line : lines) say("  {}", line);
    for (const std::string& warning : plan_.warnings) say("warning: {}", warning);
    return warn_about_mode(setup_);
  }

  Result<void> take_baseline() {
    const bool measured = environment_.baseline && std::filesystem::exists(*environment_.baseline);
    auto baseline = measured ? read_baseline(*environment_.baseline) : measure_baseline(setup_, host_);
    if (!baseline) return tl::unexpected(baseline.error());
    baseline_ = *baseline;
    say("original: accuracy {}, {} parameters", accuracy_text(baseline_.accuracy), baseline_.parameters);
    return {};
  }

  Result<void> compress() {
    auto finetuning = training_options(setup_);
    if (!finetuning) return tl::unexpected(finetuning.error());
    auto sparsifying = sparsifying_options(setup_.config, 1);
    if (!sparsifying) return tl::unexpected(sparsifying.error());
    TrainingLog log(TrainingLog::Clock::now());
    Workshop workshop{setup_, model_, example_, std::move(*finetuning), std::move(*sparsifying), {}, {}, {}};
    workshop.say = [this](const std::string& line) {
      say("{}", line);
      host_.give_way();
    };
    workshop.after_batch = [this, &log](const auto& progress) {
      log.after_batch(progress, TrainingLog::Clock::now());
      host_.give_way();
    };
    workshop.after_epoch = [this](const auto& progress, const auto& quality) {
      return report_epoch(progress, quality);
    };
    auto compressed = trial::compress(plan_, workshop);
    if (!compressed) return tl::unexpected(compressed.error());
    compressed_ = std::move(*compressed);
    return {};
  }

  Result<void> report_epoch(const compression::TrainingProgress& progress, const compression::Evaluation& quality) {
    say("epoch {}/{}: training loss {:.4f}, accuracy {}, loss {:.4f}", progress.epoch + 1, progress.epochs,
        progress.loss, accuracy_text(quality.accuracy), quality.loss);
    Json epoch = to_json(quality);
    epoch["epoch"] = progress.epoch + 1;
    epoch["training_loss"] = progress.loss;
    epochs_.push_back(std::move(epoch));
    const bool by_loss = setup_.config.evaluation.metric == proto::EvaluationMetric::Loss || !quality.accuracy;
    Json metric{{"default", by_loss ? quality.loss : *quality.accuracy}};
    metric.update(to_json(quality));
    return reporter_.intermediate(metric);
  }

  /// Saves the smaller model and takes it back from its file, so that what is measured is what is delivered.
  Result<void> export_model() {
    const auto file = environment_.output_directory / kModelFile;
    torch::jit::Module smaller = compressed_->model;
    if (compressed_->structured) {
      auto sped_up = compression::speed_up(smaller, compressed_->masks, example_, speedup_of(setup_.config));
      if (!sped_up) return fail("speed-up: " + sped_up.error().message);
      smaller = sped_up->model;
    }
    smaller.eval();
    if (auto saved = compression::save_model(smaller, file); !saved) return saved;
    auto loaded = compression::load_model(file);
    if (!loaded) return tl::unexpected(loaded.error());
    delivered_ = std::move(*loaded);
    return verify();
  }

  Result<void> verify() {
    const c10::NoGradGuard no_grad;
    const at::Tensor masked = compressed_->model.forward({example_}).toTensor();
    const at::Tensor delivered = delivered_.forward({example_}).toTensor();
    max_difference_ = (masked - delivered).abs().max().item<double>();
    const double limit = kTolerance * std::max(1.0, masked.abs().max().item<double>());
    if (max_difference_ <= limit) return {};
    return fail(fmt::format("the compressed model differs from the masked one by {}; at most {} is rounding",
                            max_difference_, limit));
  }

  Result<void> measure() {
    // Fake quantization cannot be in the file, so what is judged is the simulation.
    const compression::Network judged = compressed_->simulated ? compressed_->judged : delivered_;
    const auto quality =
        compression::evaluate(judged, setup_.test, setup_.config.evaluation.batch_size, loss_of(setup_.config));
    if (!quality) return tl::unexpected(quality.error());
    std::optional<compression::EngineScope> engine;
    if (int8_) engine.emplace(compressed_->int8->engine);
    auto costs = compare_costs(setup_, delivered_, environment_.output_directory / kModelFile, int8_, host_);
    if (!costs) return tl::unexpected(costs.error());
    costs_ = std::move(*costs);
    if (int8_) note_int8_times();
    const auto nonzero = static_cast<double>(compression::count_nonzero_parameters(delivered_));
    metrics_.accuracy = quality->accuracy;
    if (baseline_.accuracy && quality->accuracy) metrics_.accuracy_drop = *baseline_.accuracy - *quality->accuracy;
    metrics_.loss = quality->loss;
    metrics_.sparsity = 1 - nonzero / static_cast<double>(compression::count_parameters(setup_.model));
    metrics_.parameters = compression::count_parameters(delivered_);
    metrics_.effective_bytes = effective_bytes(delivered_, compressed_->weight_bits);
    metrics_.macs = compression::total_macs(costs_.macs.compressed);
    metrics_.size_bytes = costs_.size_bytes.compressed;
    metrics_.activation_bytes = costs_.activation_bytes.compressed;
    metrics_.latency_ms = costs_.latency.compressed_ms;
    metrics_.speedup = costs_.latency.speedup;
    return look_at_layers();
  }

  Result<void> look_at_layers() {
    const at::Tensor batch = example_inputs(setup_.test, setup_.config.latency.batch_size);
    const auto before = layer_costs(setup_.model, costs_.macs.original, batch);
    if (!before) return tl::unexpected(before.error());
    const auto after = layer_costs(delivered_, costs_.macs.compressed, batch);
    if (!after) return tl::unexpected(after.error());
    layers_ = compare_layers(setup_.model, *before, delivered_, *after, compressed_->weight_bits);
    graph_ = graph_json(before->graph, after->graph);
    return {};
  }

  void note_int8_times() {
    Int8Metrics& int8 = *metrics_.int8;
    int8.latency_ms = costs_.int8_latency->compressed_ms;
    int8.speedup = costs_.int8_latency->speedup;
    say("int8 ({}): accuracy {}, {} bytes, speedup {:.2f} ({:.2f} to {:.2f})", compressed_->int8->engine,
        accuracy_text(int8.accuracy), int8.size_bytes, int8.speedup, costs_.int8_latency->speedup_low,
        costs_.int8_latency->speedup_high);
  }

  /// What stands beside compressed.pt.
  Result<void> deliver_others() {
    const auto& folder = environment_.output_directory;
    if (auto saved = deliver_state(*compressed_, folder, setup_.config.exports); !saved) return saved;
    if (setup_.config.exports.onnx) write_onnx();
    if (!compressed_->int8) return {};
    auto int8 = deliver_int8(*compressed_->int8, folder / "int8.pt", setup_);
    if (!int8) return tl::unexpected(int8.error());
    metrics_.int8 = int8->metrics;
    int8_ = int8->model;
    return {};
  }

  /// A model that ONNX cannot express is no reason to fail: the report says why.
  void write_onnx() {
    auto written = deliver_onnx(*compressed_, delivered_, example_, environment_.output_directory);
    if (written) return;
    compressed_->details["onnx"] = {{"skipped", written.error().message}};
    say("no compressed.onnx: {}", written.error().message);
  }

  Result<void> report() {
    const Json metrics = to_json(metrics_, setup_.config.objective);
    Json report{{"algorithm", name_of(plan_.algorithm)},
                {"parameters", record_.parameters},
                {"metrics", metrics},
                {"baseline", to_json(baseline_)}};
    if (compressed_->before_finetuning) report["before_finetuning"] = to_json(*compressed_->before_finetuning);
    report["costs"] = to_json(costs_);
    report["max_difference"] = max_difference_;
    report["epochs"] = epochs_;
    report["layers"] = to_json(layers_);
    report["graph"] = graph_;
    report.update(compressed_->details);
    report["seconds"] = std::chrono::duration<double>(Clock::now() - start_).count();
    std::cout << to_text(layers_);
    say("compressed: accuracy {} (drop {}), {} parameters, sparsity {:.4f}, {} bytes, speedup {:.2f} ({:.2f} to "
        "{:.2f})",
        accuracy_text(metrics_.accuracy), accuracy_text(metrics_.accuracy_drop), metrics_.parameters, metrics_.sparsity,
        metrics_.size_bytes, metrics_.speedup, costs_.latency.speedup_low, costs_.latency.speedup_high);
    const auto& folder = environment_.output_directory;
    if (compressed_->details.contains("calibration")) {
      auto written = write_json(folder / "calibration.json", compressed_->details["calibration"]);
      if (!written) return written;
    }
    if (auto written = write_json(folder / "report.json", report); !written) return written;
    return reporter_.final(metrics);
  }

  const Environment& environment_;
  QuietHost host_;
  Setup setup_;
  proto::ParameterRecord record_;
  Reporter reporter_;
  Clock::time_point start_ = Clock::now();
  torch::jit::Module model_;  ///< the copy that is compressed
  at::Tensor example_;
  Plan plan_;
  Baseline baseline_;
  std::optional<Compressed> compressed_;
  Json epochs_ = Json::array();
  torch::jit::Module delivered_;
  std::optional<torch::jit::Module> int8_;  ///< that of int8.pt
  double max_difference_ = 0;
  Costs costs_;
  Metrics metrics_;
  std::vector<LayerReport> layers_;
  Json graph_;
};

}  // namespace

Result<void> run_trial(const Environment& environment) {
  const auto config = read_compression_config(environment.compression_config);
  if (!config) return tl::unexpected(config.error());
  set_threads(static_cast<int>(config->threads));
  auto setup = load_setup(*config);
  if (!setup) return tl::unexpected(setup.error());
  return run_trial(environment, std::move(*setup));
}

Result<void> run_trial(const Environment& environment, Setup setup) {
  auto record = read_parameters(environment);
  if (!record) return tl::unexpected(record.error());
  auto host = QuietHost::enter(environment.host_directory, [](const std::string& line) { say("{}", line); });
  if (!host) return tl::unexpected(host.error());
  return Trial(environment, std::move(setup), std::move(*record), std::move(*host)).run();
}

}  // namespace lathe::trial
