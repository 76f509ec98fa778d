#include "compress_once.hpp"

#include <fstream>
#include <utility>

#include <fmt/format.h>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/trial_files.hpp>

#include "environment.hpp"
#include "json_file.hpp"
#include "prepare.hpp"
#include "run.hpp"
#include "single_point.hpp"
#include "staging_folder.hpp"

namespace lathe::trial {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

struct Job {
  proto::CompressionConfig config;
  Json parameters;
};

Result<Json> parameters_of(const CompressOptions& options, const proto::SearchSpace& space) {
  if (options.parameters.empty()) return single_point(space);
  Json parameters = Json::parse(options.parameters, nullptr, /*allow_exceptions=*/false);
  if (parameters.is_object()) return parameters;
  return fail(
      fmt::format("--parameters {}: expected a JSON object, like "
                  R"({{"algorithm": {{"_name": "l1", "sparsity": 0.5}}}})",
                  options.parameters));
}

Result<Job> read_job(const CompressOptions& options) {
  const auto text = read_text(options.config);
  if (!text) return tl::unexpected(text.error());
  std::error_code error;
  const fs::path folder = fs::absolute(options.config, error).parent_path();
  const auto config = proto::parse_experiment_config(*text, {options.config.string(), {folder}});
  if (!config) return fail(proto::to_string(config.error()));
  if (!config->compression) {
    return fail(fmt::format("{}: has no `compression:` block, which names model and data; see docs/experiment.md",
                            options.config.string()));
  }
  auto parameters = parameters_of(options, config->search_space);
  if (!parameters) return fail(fmt::format("{}: {}", options.config.string(), parameters.error().message));
  Job job{*config->compression, std::move(*parameters)};
  if (!options.model.empty()) {
    if (!fs::is_regular_file(options.model, error))
      return fail(fmt::format("{}: no such file", options.model.string()));
    job.config.model = fs::absolute(options.model, error);
  }
  return job;
}

/// The files that a trial reads, in `work`; what it makes is to lie in `output`.
Result<Environment> lay_out(const Job& job, const fs::path& work, const fs::path& output) {
  fs::create_directories(work / ".nni");
  proto::ParameterRecord record;
  record.parameters = job.parameters;
  std::ofstream parameter_file(work / "parameter.cfg");
  if (!(parameter_file << proto::to_text(record)).flush())
    return fail(fmt::format("{}: cannot be written", (work / "parameter.cfg").string()));
  Environment environment;
  environment.system_directory = work;
  environment.output_directory = output;
  environment.trial_job_id = "compress";
  environment.compression_config = work / "compression.json";
  environment.baseline = work / "baseline.json";
  if (auto written = write_json(environment.compression_config, proto::to_json(job.config)); !written)
    return tl::unexpected(written.error());
  return environment;
}

std::string number(const Json& json, const char* key, const char* format = "{}") {
  if (!json.contains(key) || !json.at(key).is_number()) return "";
  const Json& value = json.at(key);
  if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
  return fmt::format(fmt::runtime(format), value.get<double>());
}

std::string row(const std::string& name, const std::string& original, const std::string& compressed,
                const std::string& remark = "") {
  std::string line = fmt::format("{:<32} {:>14} {:>14}  {}", name, original, compressed, remark);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

/// `25.4 %`: what is left.
std::string share(const Json& pair) {
  const auto original = pair.at("original").get<double>();
  return original > 0 ? fmt::format("{:.1f} %", 100 * pair.at("compressed").get<double>() / original) : "";
}

std::string pair_row(const std::string& name, const Json& pair) {
  return row(name, number(pair, "original"), number(pair, "compressed"), share(pair));
}

}  // namespace

Result<Json> compress_once(const CompressOptions& options) {
  const auto job = read_job(options);
  if (!job) return tl::unexpected(job.error());
  auto folder = StagingFolder::create(options.output);
  if (!folder) return tl::unexpected(folder.error());
  const fs::path work = folder->path() / ".work";
  const auto environment = lay_out(*job, work, folder->path());
  if (!environment) return tl::unexpected(environment.error());
  if (auto prepared = prepare(*environment); !prepared) return tl::unexpected(prepared.error());
  if (auto done = run_trial(*environment); !done) return tl::unexpected(done.error());
  auto report = read_json(folder->path() / "report.json");
  if (!report) return report;
  fs::remove_all(work);
  if (auto published = folder->publish(); !published) return tl::unexpected(published.error());
  return report;
}

std::string cost_table(const Json& report) {
  const Json& metrics = report.at("metrics");
  const Json& baseline = report.at("baseline");
  const Json& costs = report.at("costs");
  const Json& latency = costs.at("latency");
  std::string table = row("", "original", "compressed");
  if (metrics.contains("accuracy"))
    table += row("accuracy", number(baseline, "accuracy", "{:.4f}"), number(metrics, "accuracy", "{:.4f}"));
  table += row("loss", number(baseline, "loss", "{:.4f}"), number(metrics, "loss", "{:.4f}"));
  table += pair_row("parameters", {{"original", baseline.at("parameters")}, {"compressed", metrics.at("parameters")}});
  table += pair_row("multiply-accumulates", costs.at("macs"));
  table += pair_row("file, bytes", costs.at("size_bytes"));
  table += pair_row("activations, bytes", costs.at("activation_bytes"));
  table +=
      row(fmt::format("latency, ms (batch {}, {} thr.)", number(latency, "batch_size"), number(latency, "threads")),
          number(latency, "original_ms", "{:.3f}"), number(latency, "compressed_ms", "{:.3f}"),
          fmt::format("speedup {} ({} to {})", number(latency, "speedup", "{:.2f}"),
                      number(latency, "speedup_low", "{:.2f}"), number(latency, "speedup_high", "{:.2f}")));
  return table;
}

}  // namespace lathe::trial
