#include "tpe_options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;

constexpr double kLinearGamma = 0.15;

[[noreturn]] void refuse(std::string_view key, const ordered_json& value, std::string_view expected) {
  throw std::invalid_argument("tpe_args." + std::string(key) + ": " +
                              value.dump(-1, ' ', true, ordered_json::error_handler_t::replace) + " is not " +
                              std::string(expected));
}

void read_count(const ordered_json& args, const char* key, std::size_t least, std::size_t& target) {
  const auto found = args.find(key);
  if (found == args.end()) return;
  const bool fits = found->is_number_integer() && (found->is_number_unsigned() || found->get<std::int64_t>() >= 0) &&
                    found->get<std::uint64_t>() >= least;
  if (!fits) refuse(key, *found, "an integer of at least " + std::to_string(least));
  target = static_cast<std::size_t>(found->get<std::uint64_t>());
}

std::optional<double> read_positive(const ordered_json& args, const char* key) {
  const auto found = args.find(key);
  if (found == args.end()) return std::nullopt;
  if (!found->is_number() || !(found->get<double>() > 0) || !std::isfinite(found->get<double>())) {
    refuse(key, *found, "a positive number");
  }
  return found->get<double>();
}

Liar read_liar(const ordered_json& args) {
  constexpr const char* kKey = "constant_liar_type";
  constexpr std::array<std::pair<std::string_view, Liar>, 4> kNames{
      {{"best", Liar::Best}, {"worst", Liar::Worst}, {"mean", Liar::Mean}, {"none", Liar::Ignore}}};
  const auto found = args.find(kKey);
  if (found == args.end()) return Liar::Bad;
  if (found->is_null()) return Liar::Ignore;
  for (const auto& [name, liar] : kNames) {
    if (found->is_string() && found->get<std::string>() == name) return liar;
  }
  refuse(kKey, *found, "one of \"best\", \"worst\", \"mean\" and null");
}

}  // namespace

std::size_t TpeOptions::good_of(std::size_t n) const {
  const double count = static_cast<double>(n);
  const double wanted = std::ceil(gamma ? *gamma * std::sqrt(count) : kLinearGamma * count);
  return static_cast<std::size_t>(std::min({wanted, count, static_cast<double>(forgetting)}));
}

TpeOptions parse_tpe_options(const ordered_json& class_args) {
  TpeOptions options;
  const auto found = class_args.find("tpe_args");
  if (found == class_args.end() || found->is_null()) return options;
  if (!found->is_object()) throw std::invalid_argument("tpe_args must be an object");
  options.liar = read_liar(*found);
  read_count(*found, "n_startup_jobs", 0, options.startup);
  read_count(*found, "n_ei_candidates", 1, options.candidates);
  read_count(*found, "linear_forgetting", 1, options.forgetting);
  options.prior_weight = read_positive(*found, "prior_weight").value_or(options.prior_weight);
  options.gamma = read_positive(*found, "gamma");
  return options;
}

}  // namespace lathe::tuners
