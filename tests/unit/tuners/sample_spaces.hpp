// Search spaces for the tests, built by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/search_space.hpp>

namespace lathe::tuners::test {

using Parameters = std::vector<proto::Parameter>;

inline proto::Parameter uniform(const std::string& name, double low, double high, std::optional<double> q = {}) {
  return {name, proto::Uniform{low, high, false, q}};
}
inline proto::Parameter log_uniform(const std::string& name, double low, double high, std::optional<double> q = {}) {
  return {name, proto::Uniform{low, high, true, q}};
}
inline proto::Parameter normal(const std::string& name, double mu, double sigma, std::optional<double> q = {}) {
  return {name, proto::Normal{mu, sigma, false, q}};
}
inline proto::Parameter log_normal(const std::string& name, double mu, double sigma, std::optional<double> q = {}) {
  return {name, proto::Normal{mu, sigma, true, q}};
}
inline proto::Parameter randint(const std::string& name, std::int64_t low, std::int64_t high) {
  return {name, proto::RandInt{low, high}};
}
inline proto::Parameter choice(const std::string& name, const std::vector<nlohmann::ordered_json>& values) {
  proto::Choice result;
  for (const auto& value : values) result.options.push_back({value, "", {}});
  return {name, result};
}
inline proto::Parameter nested(const std::string& name,
                               const std::vector<std::pair<std::string, Parameters>>& branches) {
  proto::Choice result;
  for (const auto& [branch, parameters] : branches) {
    result.options.push_back({nlohmann::ordered_json{{"_name", branch}}, branch, parameters});
  }
  return {name, result};
}

/// x0 … x(count-1), each uniform(low, high).
inline Parameters series(int count, double low, double high) {
  Parameters result;
  for (int i = 0; i < count; ++i) result.push_back(uniform(std::string("x") + std::to_string(i), low, high));
  return result;
}

/// One parameter of every type.
inline proto::SearchSpace flat_space() {
  return {{choice("act", {"relu", "gelu", "tanh"}), randint("depth", 2, 9), uniform("drop", 0, 0.5),
           uniform("width", 16, 512, 16), log_uniform("lr", 1e-5, 1), log_uniform("batch", 8, 256, 8),
           normal("shift", 0, 2), normal("scale", 1, 0.5, 0.1), log_normal("decay", -7, 2),
           log_normal("warmup", 3, 1, 5)}};
}

/// Three levels: arm -> mode -> kind, with numbers on every level.
inline proto::SearchSpace nested_space() {
  const auto kind = nested("kind", {{"c1", {uniform("u", 0, 1)}}, {"c2", {randint("v", 0, 5)}}});
  const auto mode = nested("mode", {{"m1", {uniform("w", 0, 1), kind}}, {"m2", {}}});
  return {{uniform("shared", 0, 1), nested("arm", {{"A", {uniform("x", 0, 1), uniform("y", 0, 1)}}, {"B", {mode}}})}};
}

/// Twelve configurations, on two levels: "on" has 2 x 4 + 3 of them, "off" one.
inline proto::SearchSpace finite_nested_space() {
  const auto how =
      nested("how", {{"few", {choice("n", {1, 2}), randint("k", 0, 4)}}, {"many", {uniform("q", 0, 1, 0.5)}}});
  return {{nested("switch", {{"on", {how}}, {"off", {}}})}};
}

}  // namespace lathe::tuners::test
