#include "experiment/ids.hpp"

#include <charconv>
#include <numeric>
#include <random>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kAlphanumerics = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr int kTail = 4;                                        // characters after the letter
constexpr std::uint64_t kTrialIds = 52ull * 62 * 62 * 62 * 62;  // about 768 million

/// FNV-1a, spread by one round of splitmix64.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325ull;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

/// An odd-looking step through all ids: any factor without a common divisor with their number visits each once.
std::uint64_t coprime_factor(std::uint64_t seed) {
  std::uint64_t factor = kTrialIds / 3 + seed % (kTrialIds / 3);
  while (std::gcd(factor, kTrialIds) != 1) ++factor;
  return factor;
}

}  // namespace

std::string random_experiment_id() {
  std::random_device device;
  std::uniform_int_distribution<std::size_t> pick(0, kLower.size() - 1);
  std::string id;
  for (int i = 0; i < 8; ++i) id += kLower[pick(device)];
  return id;
}

std::string trial_id_for(std::string_view experiment_id, std::int64_t sequence) {
  const std::uint64_t seed = hash(experiment_id);
  const std::uint64_t place = static_cast<std::uint64_t>(sequence) % kTrialIds;
  // Both factors are below 2^30, so the product does not overflow.
  std::uint64_t number = (place * coprime_factor(seed) + seed % kTrialIds) % kTrialIds;
  std::string id(1, kLetters[number % kLetters.size()]);
  number /= kLetters.size();
  for (int i = 0; i < kTail; ++i) {
    id += kAlphanumerics[number % kAlphanumerics.size()];
    number /= kAlphanumerics.size();
  }
  return id;
}

std::string AttemptId::to_string() const {
  return fmt::format("{}/{}/{}", experiment, trial, attempt);
}

std::string AttemptId::folder() const {
  const std::string first = trial == preparation_trial ? trial : "trials/" + trial;
  return attempt == 0 ? first : fmt::format("{}.{}", first, attempt);
}

std::optional<AttemptId> AttemptId::parse(std::string_view text) {
  const std::size_t first = text.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  AttemptId id{std::string(text.substr(0, first)), std::string(text.substr(first + 1, second - first - 1)), 0};
  const std::string_view attempt = text.substr(second + 1);
  const auto [end, error] = std::from_chars(attempt.data(), attempt.data() + attempt.size(), id.attempt);
  if (error != std::errc{} || end != attempt.data() + attempt.size() || id.attempt < 0) return std::nullopt;
  if (id.experiment.empty() || id.trial.empty()) return std::nullopt;
  return id;
}

}  // namespace lathe::manager
