// What people are told of a host: how it is, and what a test of it has found.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/frames.hpp>

#include "hosts/host_spec.hpp"

namespace lathe::manager {

struct HostStatus {
  HostSpec spec;  ///< without secrets
  bool connected = false;
  bool drained = false;
  std::string trouble;  ///< why nothing can be started there, drained or not; empty: nothing is in the way
  std::optional<proto::Hello> hello;
  std::optional<proto::HostReport> report;
  std::map<std::string, std::int64_t> trials;  ///< by experiment
};

/// One thing that was looked at.
struct HostCheck {
  enum class Verdict { Ok, Warning, Failed, Skipped };
  std::string step;  ///< connection, host key, login, folder, disk, agent, GPUs, trial program
  Verdict verdict = Verdict::Skipped;
  std::string detail;  ///< what was found; of a failure also what to do

  friend bool operator==(const HostCheck&, const HostCheck&) = default;
};

struct HostTest {
  std::string host;
  std::vector<HostCheck> checks;  ///< in the order in which one needs the other

  [[nodiscard]] bool ok() const;  ///< nothing failed
};

/// The REST forms. Defined in openapi.yaml.
[[nodiscard]] nlohmann::ordered_json to_json(const HostStatus& status);
[[nodiscard]] nlohmann::ordered_json to_json(const HostTest& test);

}  // namespace lathe::manager
