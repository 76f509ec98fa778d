// How good the tuners are, and what a suggestion costs. Prints three tables:
//   the best value found after 100 trials on five small functions, one trial at a time and with eight outstanding;
//   the regret after 50, 100 and 200 trials on eight problems, and as a ratio to random search;
//   CPU milliseconds for a suggestion against the length of the history.
// Usage: tuner-quality [small | search | time]...; without arguments all of them.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <deque>
#include <limits>
#include <memory>
#include <numbers>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <lathe/tuners/tuner.hpp>

#include "tuner_problems.hpp"

namespace lathe::bench {
namespace {

using proto::TunerKind;

constexpr std::array<std::pair<const char*, TunerKind>, 3> kTuners{
    {{"TPE", TunerKind::Tpe}, {"Random", TunerKind::Random}, {"Anneal", TunerKind::Anneal}}};
constexpr double kRegretFloor = 1e-4;

std::unique_ptr<tuners::Tuner> start(TunerKind kind, const proto::SearchSpace& space, std::uint64_t seed) {
  return tuners::make_tuner({kind, proto::OptimizeMode::Minimize, seed, nlohmann::ordered_json::object()}, space);
}

/// Standard normal noise of one trial, the same for every tuner.
double noise(std::uint64_t seed, std::uint64_t trial) {
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + trial * 0xD1B54A32D192ED03U + 0x8BB84B93962EACC9U;
  const auto uniform = [&state] {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return std::max(static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-53, 0x1p-53);
  };
  const double u = uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * uniform());
}

/// After each trial: the true loss of the configuration with the best observed loss. Results come back in order, with
/// `outstanding` trials in flight.
std::vector<double> run(const Problem& problem, TunerKind kind, std::uint64_t seed, std::size_t trials,
                        std::size_t outstanding) {
  const auto tuner = start(kind, problem.space, seed);
  std::deque<std::pair<tuners::TrialId, nlohmann::ordered_json>> in_flight;
  std::vector<double> best;
  double best_observed = std::numeric_limits<double>::infinity();
  for (tuners::TrialId next = 0; best.size() < trials;) {
    while (in_flight.size() < outstanding) {
      in_flight.emplace_back(next, tuner->suggest(next).value());
      ++next;
    }
    const auto [id, parameters] = in_flight.front();
    in_flight.pop_front();
    const double loss = problem.loss(parameters);
    const double observed =
        problem.noise == 0 ? loss : loss + problem.noise * noise(seed, static_cast<std::uint64_t>(id));
    tuner->complete(id, observed);
    best.push_back(observed < best_observed ? loss : best.back());
    best_observed = std::min(best_observed, observed);
  }
  return best;
}

double quantile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  const double place = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

/// Values at one budget over the seeds.
std::vector<double> at(const std::vector<std::vector<double>>& runs, std::size_t budget) {
  std::vector<double> values;
  for (const std::vector<double>& run : runs) values.push_back(run[budget - 1]);
  return values;
}

std::vector<std::vector<double>> run_seeds(const Problem& problem, TunerKind kind, std::uint64_t seeds,
                                           std::size_t trials, std::size_t outstanding) {
  std::vector<std::vector<double>> runs;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) runs.push_back(run(problem, kind, seed, trials, outstanding));
  return runs;
}

void print_small() {
  std::printf("Best value after 100 trials, median [quartiles] of 20 seeds\n");
  for (const Problem& problem : small_problems()) {
    for (const auto& [name, kind] : kTuners) {
      for (const std::size_t outstanding : {1U, 8U}) {
        const std::vector<double> values = at(run_seeds(problem, kind, 20, 100, outstanding), 100);
        std::printf("%-14s %-7s %2zu outstanding  %9.4g [%.4g, %.4g]\n", problem.name.c_str(), name, outstanding,
                    quantile(values, .5), quantile(values, .25), quantile(values, .75));
      }
    }
  }
}

void print_search(std::size_t outstanding) {
  constexpr std::array<std::size_t, 3> kBudgets{50, 100, 200};
  std::printf("\nRegret after 50 / 100 / 200 trials, median of 30 seeds, %zu outstanding\n", outstanding);
  std::vector<std::array<double, 4>> random_medians;
  for (const TunerKind kind : {TunerKind::Random, TunerKind::Anneal, TunerKind::Tpe}) {
    std::array<double, 4> log_ratios{};
    std::size_t index = 0;
    for (const Problem& problem : search_problems()) {
      const auto runs = run_seeds(problem, kind, 30, 200, outstanding);
      std::array<double, 4> regrets{};
      for (std::size_t i = 0; i < 3; ++i) regrets[i] = quantile(at(runs, kBudgets[i]), .5) - problem.optimum;
      regrets[3] = quantile(at(runs, 200), .75) - problem.optimum;
      for (double& regret : regrets) regret = std::max(regret, kRegretFloor);
      if (kind == TunerKind::Random) random_medians.push_back(regrets);
      const std::array<double, 4>& base = random_medians[index++];
      for (std::size_t i = 0; i < 4; ++i) log_ratios[i] += std::log(regrets[i] / base[std::min<std::size_t>(i, 2)]) / 8;
      std::printf("%-18s %-7s %8.4g %8.4g %8.4g   75%%: %8.4g\n", problem.name.c_str(),
                  kind == TunerKind::Random   ? "Random"
                  : kind == TunerKind::Anneal ? "Anneal"
                                              : "TPE",
                  regrets[0], regrets[1], regrets[2], regrets[3]);
    }
    std::printf("  suite %.3f %.3f %.3f   75%% %.3f\n", std::exp(log_ratios[0]), std::exp(log_ratios[1]),
                std::exp(log_ratios[2]), std::exp(log_ratios[3]));
  }
}

/// Twenty uniform parameters, or eight branches of ten.
proto::SearchSpace wide_space(bool nested) {
  const auto numbered = [](std::string name, int i) { return name.append(std::to_string(i)); };
  const auto series = [&](int count) {
    std::vector<proto::Parameter> parameters;
    for (int i = 0; i < count; ++i) parameters.push_back({numbered("x", i), proto::Uniform{}});
    return parameters;
  };
  if (!nested) return {series(20)};
  proto::Choice choice;
  for (int i = 0; i < 8; ++i) {
    const std::string name = numbered("branch", i);
    choice.options.push_back({{{"_name", name}}, name, series(10)});
  }
  return {{{"arm", choice}}};
}

/// Median CPU milliseconds of one suggestion with `trials` finished and 7 pending. The history comes from random
/// search.
double suggestion_time(TunerKind kind, bool nested, int trials) {
  const proto::SearchSpace space = wide_space(nested);
  const auto tuner = start(kind, space, 1);
  const auto source = start(TunerKind::Random, space, 2);
  for (tuners::TrialId id = 0; id < trials + 7; ++id) {
    tuner->add_pending(id, source->suggest(id).value());
    if (id < trials) tuner->complete(id, noise(3, static_cast<std::uint64_t>(id)));
  }
  std::vector<double> times;
  for (tuners::TrialId id = trials + 7; id < trials + 28; ++id) {
    const std::clock_t begin = std::clock();
    const auto parameters = tuner->suggest(id);
    times.push_back(1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    tuner->complete(id - 7, noise(3, static_cast<std::uint64_t>(id)));
  }
  return quantile(times, .5);
}

void print_time() {
  std::printf("\nCPU milliseconds for a suggestion with 7 pending: 20 uniform / 8 branches of 10\n");
  for (const int trials : {10, 100, 1000, 5000, 100000}) {
    std::printf("%7d trials", trials);
    for (const auto& [name, kind] : kTuners) {
      std::printf("   %s %.3f / %.3f", name, suggestion_time(kind, false, trials), suggestion_time(kind, true, trials));
    }
    std::printf("\n");
  }
}

}  // namespace

int main_with(const std::set<std::string>& wanted) {
  const auto wants = [&](const char* table) { return wanted.empty() || wanted.contains(table); };
  if (wants("small")) print_small();
  if (wants("search")) {
    for (const std::size_t outstanding : {1U, 8U}) print_search(outstanding);
  }
  if (wants("time")) print_time();
  return 0;
}

}  // namespace lathe::bench

int main(int argc, char** argv) {
  return lathe::bench::main_with({argv + 1, argv + argc});
}
