// Shares the trial slots of a host among experiments: max-min fairness, so that a late experiment gets its part as soon
// as slots fall free, and nobody holds more than it can use. Arithmetic only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace lathe::manager {

class HostSlots {
 public:
  /// `limit`: trials of all experiments together; none: no limit.
  explicit HostSlots(std::optional<std::int64_t> limit) : limit_(limit) {}

  void set_limit(std::optional<std::int64_t> limit);

  struct Use {
    std::int64_t running = 0;
    std::int64_t wanted = 0;  ///< could run now if there were room, the running ones included
  };

  /// Tells what an experiment holds and wants. Returns true when another experiment may start more than before.
  bool update(const std::string& experiment, Use use);
  bool remove(const std::string& experiment);

  /// Trials of all experiments.
  [[nodiscard]] std::int64_t running() const;
  [[nodiscard]] bool is_limited() const { return limit_.has_value(); }

  /// How many more trials the experiment may start now.
  [[nodiscard]] std::int64_t available(const std::string& experiment) const;

 private:
  void share();

  std::optional<std::int64_t> limit_;
  std::map<std::string, Use> uses_;
  std::map<std::string, std::int64_t> shares_;
};

}  // namespace lathe::manager
