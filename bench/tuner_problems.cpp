#include "tuner_problems.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>

namespace lathe::bench {
namespace {

using nlohmann::ordered_json;
using proto::Choice;
using proto::Normal;
using proto::Option;
using proto::Parameter;
using proto::RandInt;
using proto::Uniform;

using Parameters = std::vector<Parameter>;

Parameter uniform(const std::string& name, double low, double high, std::optional<double> q = {}) {
  return {name, Uniform{low, high, false, q}};
}
Parameter log_uniform(const std::string& name, double low, double high, std::optional<double> q = {}) {
  return {name, Uniform{low, high, true, q}};
}
Parameter choice(const std::string& name, const std::vector<ordered_json>& values) {
  Choice result;
  for (const ordered_json& value : values) result.options.push_back({value, "", {}});
  return {name, result};
}
Parameter nested(const std::string& name, const std::vector<std::pair<std::string, Parameters>>& branches) {
  Choice result;
  for (const auto& [branch, parameters] : branches) result.options.push_back({{{"_name", branch}}, branch, parameters});
  return {name, result};
}
/// prefix + first, …, each uniform(low, high).
Parameters series(const std::string& prefix, int first, int count, double low, double high) {
  Parameters result;
  for (int i = first; i < first + count; ++i) result.push_back(uniform(prefix + std::to_string(i), low, high));
  return result;
}
double number(const ordered_json& parameters, const std::string& name) {
  return parameters.at(name).get<double>();
}
double number(const ordered_json& parameters, const std::string& prefix, int i) {
  return number(parameters, prefix + std::to_string(i));
}
std::string branch(const ordered_json& value) {
  return value.at("_name").get<std::string>();
}
double square(double x) {
  return x * x;
}

double branin(const ordered_json& p) {
  using std::numbers::pi;
  const double x = number(p, "x1");
  return square(number(p, "x2") - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6) +
         10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

Problem branin_problem(const std::string& name) {
  return {name, {{uniform("x1", -5, 10), uniform("x2", 0, 15)}}, branin, 0.3978873577};
}

double hartmann6(const ordered_json& p) {
  constexpr std::array<double, 4> kAlpha{1, 1.2, 3, 3.2};
  constexpr std::array<std::array<double, 6>, 4> kA{
      {{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}}};
  constexpr std::array<std::array<double, 6>, 4> kP{{{1312, 1696, 5569, 124, 8283, 5886},
                                                     {2329, 4135, 8307, 3736, 1004, 9991},
                                                     {2348, 1451, 3522, 2883, 3047, 6650},
                                                     {4047, 8828, 8732, 5743, 1091, 381}}};
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double exponent = 0;
    for (std::size_t j = 0; j < 6; ++j) {
      exponent += kA[i][j] * square(number(p, "x", static_cast<int>(j)) - kP[i][j] * 1e-4);
    }
    sum -= kAlpha[i] * std::exp(-exponent);
  }
  return sum;
}

Problem hartmann_problem(const std::string& name) {
  return {name, {series("x", 0, 6, 0, 1)}, hartmann6, -3.32236801};
}

double sphere5(const ordered_json& p) {
  double sum = 0;
  for (int i = 0; i < 5; ++i) sum += square(number(p, "x", i));
  return sum;
}

double rosenbrock4(const ordered_json& p) {
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    const double x = number(p, "x", i);
    sum += 100 * square(number(p, "x", i + 1) - x * x) + square(1 - x);
  }
  return sum;
}

double nested_ab(const ordered_json& p) {
  const ordered_json& arm = p.at("arm");
  if (branch(arm) == "A") return square(number(arm, "x") - 0.3) + square(number(arm, "y") - 0.7);
  double sum = 0.1;
  for (int i = 0; i < 5; ++i) sum += square(number(arm, "b", i) - 0.5);
  return sum;
}

double shifted_sphere(const ordered_json& p) {
  double sum = 0;
  for (int i = 1; i <= 10; ++i) sum += square(number(p, "x", i) - 3 * std::sin(i));
  return sum;
}

double log_valley(const ordered_json& p) {
  const double octaves = std::log2(number(p, "batch")) - 7;
  const double e = std::log10(number(p, "lr")) - std::log10(1 - number(p, "momentum")) - octaves * std::log10(2.0);
  return square(e + 1.5) + 0.25 * square(std::log10(number(p, "wd")) + 4) + 0.05 * square(octaves) +
         2 * square(number(p, "momentum") - 0.9);
}

double mixed_priors(const ordered_json& p) {
  static const std::map<std::string, double> act{
      {"relu", .10}, {"gelu", .04}, {"silu", 0}, {"tanh", .30}, {"elu", .15}};
  static const std::map<std::string, double> opt{{"sgd", .05}, {"adam", .08}, {"adamw", 0}, {"rmsprop", .20}};
  const double bonus = p.at("act") == "relu" && p.at("opt") == "sgd" ? 0.05 : 0;
  return act.at(p.at("act")) + opt.at(p.at("opt")) - bonus + .01 * square(number(p, "depth") - 7) +
         .05 * square(std::log2(number(p, "width")) - 8) + 4 * square(number(p, "drop") - 0.12) +
         .02 * square(std::log(number(p, "wd")) - std::log(1e-4)) +
         .03 * square(std::log(std::max(number(p, "warmup"), 2.5)) - std::log(40.0)) +
         .4 * square(number(p, "temp") - 1.4);
}

Parameters mixed_priors_space() {
  return {choice("act", {"relu", "gelu", "silu", "tanh", "elu"}),
          choice("opt", {"sgd", "adam", "adamw", "rmsprop"}),
          {"depth", RandInt{2, 12}},
          uniform("width", 16, 512, 16),
          {"drop", Normal{0.3, 0.15, false, {}}},
          {"wd", Normal{std::log(1e-3), 2, true, {}}},
          {"warmup", Normal{3, 1, true, 5}},
          {"temp", Normal{1, 0.5, false, 0.1}}};
}

struct PrunerBranch {
  std::string name;
  std::size_t rotation;
  double factor;
  double power;
  double log_lr;
};

const std::array<PrunerBranch, 5>& pruner_branches() {
  static const std::array<PrunerBranch, 5> branches{{{"level", 0, 1, 2, -3},
                                                     {"l1", 0, .8, 2.5, -2.5},
                                                     {"l2", 1, .75, 2.5, -2.5},
                                                     {"fpgm", 1, .7, 3, -3.5},
                                                     {"taylor", 0, .55, 3, -2}}};
  return branches;
}

double pruner(const ordered_json& p) {
  constexpr std::array<double, 8> kShare{.02, .04, .08, .12, .16, .20, .25, .13};
  constexpr std::array<double, 8> kSensitivity{3, 2, 1.5, 1, .8, .6, .4, 1.2};
  const ordered_json& arm = p.at("pruner");
  const std::string name = branch(arm);
  const PrunerBranch& of = *std::find_if(pruner_branches().begin(), pruner_branches().end(),
                                         [&](const PrunerBranch& candidate) { return candidate.name == name; });
  double damage = 0;
  double removed = 0;
  for (std::size_t l = 0; l < 8; ++l) {
    const double x = number(arm, "s", static_cast<int>(l));
    damage += kSensitivity[(l + of.rotation) % 8] * std::pow(x, of.power);
    removed += kShare[l] * x;
  }
  double loss = 0.15 * of.factor * damage + 20 * square(std::max(0.0, 0.7 - removed)) +
                0.02 * square(std::log10(number(p, "ft_lr")) - of.log_lr);
  if (name == "l1" && arm.at("mode") == "local") loss += 0.02;
  if (name == "taylor") loss += 0.02 * square(std::log10(number(arm, "steps")) - 2);
  return loss;
}

Parameters pruner_space() {
  std::vector<std::pair<std::string, Parameters>> branches;
  for (const PrunerBranch& of : pruner_branches()) {
    Parameters parameters = series("s", 0, 8, 0, 0.95);
    if (of.name == "l1") parameters.push_back(choice("mode", {"global", "local"}));
    if (of.name == "taylor") parameters.push_back(log_uniform("steps", 10, 1000, 10));
    branches.emplace_back(of.name, parameters);
  }
  return {log_uniform("ft_lr", 1e-5, 1e-1), nested("pruner", branches)};
}

double two_levels(const ordered_json& p) {
  struct Leaf {
    const char* name;
    double place;
    double offset;
  };
  static const std::map<std::string, Leaf> leaves{
      {"TT", {"a", -.75, .025}}, {"TF", {"b", -.25, .05}}, {"FT", {"c", .25, .4}}, {"FF", {"d", .75, .01}}};
  const ordered_json& outer = p.at("x");
  const ordered_json& inner = outer.at(branch(outer) == "T" ? "n" : "m");
  const Leaf& leaf = leaves.at(branch(outer) + branch(inner));
  const double value = number(inner, leaf.name);
  return square(value - number(p, "y")) + square(value - leaf.place) + leaf.offset;
}

Parameters two_levels_space() {
  const auto leaf = [](const std::string& name) { return Parameters{uniform(name, -1, 1)}; };
  return {nested("x", {{"T", {nested("n", {{"T", leaf("a")}, {"F", leaf("b")}})}},
                       {"F", {nested("m", {{"T", leaf("c")}, {"F", leaf("d")}})}}}),
          uniform("y", -1, 1)};
}

double noisy_nest(const ordered_json& p) {
  constexpr std::array<double, 6> kWeight{1, .8, .6, .6, .8, 1};
  constexpr std::array<double, 6> kPlace{.2, .35, .5, .6, .7, .45};
  const ordered_json& method = p.at("method");
  if (branch(method) == "quant") {
    return .12 + (method.at("bits") == 4 ? .10 : 0) + 1.5 * square(number(method, "clip") - .92) +
           .01 * square(std::log2(number(method, "calib")) - 7);
  }
  if (branch(method) == "distill") {
    return .10 + .004 * square(number(method, "temp") - 4) + .3 * square(number(method, "alpha") - .7) +
           .05 * square(std::log10(number(method, "lr")) + 3);
  }
  double sum = 0;
  for (std::size_t l = 0; l < 6; ++l) sum += kWeight[l] * square(number(method, "s", static_cast<int>(l)) - kPlace[l]);
  return .08 + .4 * sum;
}

Parameters noisy_nest_space() {
  return {
      nested("method", {{"quant", {choice("bits", {4, 8}), uniform("clip", .5, 1), log_uniform("calib", 8, 512, 8)}},
                        {"prune", series("s", 0, 6, 0, .9)},
                        {"distill", {uniform("temp", 1, 10), uniform("alpha", 0, 1), log_uniform("lr", 1e-5, .1)}}})};
}

}  // namespace

std::vector<Problem> small_problems() {
  return {{"sphere-5d", {series("x", 0, 5, -5, 5)}, sphere5, 0},
          branin_problem("Branin"),
          hartmann_problem("Hartmann6"),
          {"Rosenbrock-4d", {series("x", 0, 4, -2, 2)}, rosenbrock4, 0},
          {"nested A/B",
           {{nested("arm", {{"A", {uniform("x", 0, 1), uniform("y", 0, 1)}}, {"B", series("b", 0, 5, 0, 1)}})}},
           nested_ab,
           0}};
}

std::vector<Problem> search_problems() {
  return {{"D1 shifted sphere", {series("x", 1, 10, -5, 5)}, shifted_sphere, 0},
          branin_problem("D2 Branin"),
          hartmann_problem("D3 Hartmann6"),
          {"D4 log valley",
           {{log_uniform("lr", 1e-6, 1), log_uniform("wd", 1e-8, .1), uniform("momentum", .5, .999),
             log_uniform("batch", 16, 1024, 16)}},
           log_valley,
           0},
          {"D5 mixed priors", {mixed_priors_space()}, mixed_priors, 0},
          {"D6 nested pruner", {pruner_space()}, pruner, 0.11650772},
          {"D7 two-level tree", {two_levels_space()}, two_levels, 0.01},
          {"D8 noisy nest", {noisy_nest_space()}, noisy_nest, 0.08, 0.03}};
}

}  // namespace lathe::bench
