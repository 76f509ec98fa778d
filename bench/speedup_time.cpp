// Speed-up of real architectures: how long it takes, how much memory it needs, and what it gains. Prints a Markdown
// table.
//
//   speedup-time OUT_DIR/*.pt                  what tests/zoo/build.py has written
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/speedup.hpp>

#include "model_file.hpp"
#include "program.hpp"
#include "random_masks.hpp"

namespace {

using lathe::zoo::ZooModel;
namespace compression = lathe::compression;
namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> files;
  std::vector<double> sparsities{0.3, 0.5, 0.7};
  int threads = 1;
  int runs = 5;
  int latency_runs = 15;
  std::uint64_t seed = 1;
};

/// A line of /proc/self/status in MiB.
double status_mib(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024;
  throw std::runtime_error("/proc/self/status has no " + key);
}

/// The peak of resident memory is counted from here on.
void forget_peak() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5" << std::flush;
  if (!out) throw std::runtime_error("/proc/self/clear_refs cannot be written; it sets the peak of memory back");
}

/// Of all threads of this process.
double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

struct Figures {
  double first_ms = 0;
  double median_ms = 0;
  double cpu_ms = 0;      ///< median of what the processors worked, which other programs do not add to
  double beyond_mib = 0;  ///< what the process peaked at beyond what it held before, its result included
  double peak_mib = 0;    ///< of the whole process
};

template <class T>
T value_of(compression::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Memory is that of the first run: later ones find what the allocator has kept.
Figures time_speed_up(const ZooModel& zoo, const compression::Masks& masks, int runs) {
  Figures figures;
  std::vector<double> times;
  std::vector<double> cpu_times;
  for (int run = 0; run < runs; ++run) {
    forget_peak();
    const double before = status_mib("VmRSS");
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_milliseconds();
    const auto report = value_of(compression::speed_up(zoo.model, masks, zoo.example));
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    cpu_times.push_back(cpu_milliseconds() - cpu_start);
    if (run > 0) continue;
    figures.first_ms = times.front();
    figures.peak_mib = status_mib("VmHWM");
    figures.beyond_mib = std::max(0.0, figures.peak_mib - before);
  }
  figures.median_ms = median(std::move(times));
  figures.cpu_ms = median(std::move(cpu_times));
  return figures;
}

double macs_of(const torch::jit::Module& model, const at::Tensor& example) {
  return static_cast<double>(compression::total_macs(value_of(compression::count_macs(model, example))));
}

std::string change(double before, double after) {
  return fmt::format("{:.2f} to {:.2f} M ({:.0f} %)", before / 1e6, after / 1e6, 100 * after / before);
}

void print_row(const ZooModel& zoo, double sparsity, const Options& options) {
  const auto masks =
      value_of(lathe::zoo::random_masks(zoo.model, lathe::zoo::MaskKind::Plain, sparsity, zoo.example, options.seed));
  const Figures figures = time_speed_up(zoo, masks, options.runs);
  const auto report = value_of(compression::speed_up(zoo.model, masks, zoo.example));
  const auto latency =
      compression::compare_latency(zoo.model, report.model, zoo.example.narrow(0, 0, 1),
                                   {.runs = options.latency_runs, .warmup = 3, .threads = 1, .seed = options.seed});
  fmt::print("| {}, {} | {:.0f} % | {:.0f} ms | {:.0f} ms | {:.0f} ms | {:.0f} MiB | {:.0f} MiB | {} | {} | {:.2f} |\n",
             zoo.name, zoo.form, 100 * sparsity, figures.median_ms, figures.cpu_ms, figures.first_ms,
             figures.beyond_mib, figures.peak_mib,
             change(static_cast<double>(compression::count_parameters(zoo.model)),
                    static_cast<double>(compression::count_parameters(report.model))),
             change(macs_of(zoo.model, zoo.example), macs_of(report.model, zoo.example)), latency.speedup);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  CLI::App app{"Times speed-up on models of the zoo, under random masks of whole filters."};
  Options options;
  app.add_option("files", options.files, "NAME.FORM.pt, with NAME.input.pt beside it")->required();
  app.add_option("--sparsity", options.sparsities, "Shares of the filters that are masked")
      ->check(CLI::Range(0.01, 0.99))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of speed-up; latencies are those of one")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--runs", options.runs, "Timed speed-ups")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--latency-runs", options.latency_runs, "Timed passes of each model, in turns")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the masks")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(options.threads);
  const at::NoGradGuard no_grad;
  fmt::print(
      "| model | masked | speed-up takes | CPU | the first | memory beyond | process peak | parameters | MACs | faster "
      "|\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  for (const auto& file : options.files) {
    if (lathe::zoo::is_input_file(file)) continue;
    const ZooModel zoo = lathe::zoo::read_zoo_model(file);
    for (const double sparsity : options.sparsities) print_row(zoo, sparsity, options);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  lathe::zoo::run_program(argc, argv, run, /*failed=*/1);
}
