// The launchers of this host, by the `kind` that StartTrial.launcher names.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "launcher.hpp"

namespace lathe::agent {

/// The kind of StartTrial.launcher: null is "process". An error: it is neither null nor an object with a `kind`.
[[nodiscard]] proto::Result<std::string> launcher_kind(const nlohmann::ordered_json& launcher);

/// A job that has ended as lost.
[[nodiscard]] std::unique_ptr<Job> lost_job(std::string why);

class Launchers {
 public:
  void add(std::string kind, std::unique_ptr<Launcher> launcher);

  /// An error names the kinds there are.
  [[nodiscard]] proto::Result<Launcher*> find(const std::string& kind) const;

  void trial_ended(const std::string& trial_id) const;
  void forget_strangers() const;

 private:
  std::map<std::string, std::unique_ptr<Launcher>> launchers_;
};

}  // namespace lathe::agent
