// Which attempts a host may still have processes or untold ends of, and so which of its folders may go. Bookkeeping
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lathe::manager {

class AttemptLedger {
 public:
  /// `folder_of`: where an attempt's files lie, below the agent's root.
  explicit AttemptLedger(std::function<std::string(const std::string& attempt)> folder_of)
      : folder_of_(std::move(folder_of)) {}

  /// A connection is made, and these are the attempts that the agent knows.
  void begin(const std::vector<std::string>& running);
  void started(const std::string& attempt) { present_.insert(attempt); }
  /// The attempt's end came as this event. The agent has it until that is acknowledged.
  void ended(std::uint64_t sequence, const std::string& attempt) { ended_[sequence] = attempt; }
  /// True when an end is among what is acknowledged now.
  bool acknowledge(std::uint64_t sequence);

  /// Of the folders that a host has, those that are not needed and that no attempt here lies in. What lies in one that
  /// goes is not named again.
  [[nodiscard]] std::vector<std::string> dispensable(const std::vector<std::string>& folders,
                                                     const std::function<bool(const std::string&)>& is_needed) const;

 private:
  std::function<std::string(const std::string&)> folder_of_;
  std::set<std::string> present_;
  std::map<std::uint64_t, std::string> ended_;
};

}  // namespace lathe::manager
