// The jobs of a launcher by their numbers. Whoever goes through them may take some down on the way.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace lathe::agent {

/// Of jobs that belong to others, who remove them before they go.
template <class Job>
class NumberedJobs {
 public:
  [[nodiscard]] std::uint64_t add(Job& job) {
    jobs_[++last_] = &job;
    return last_;
  }
  void remove(std::uint64_t number) { jobs_.erase(number); }

  /// Null: it has gone.
  [[nodiscard]] Job* find(std::uint64_t number) const {
    const auto found = jobs_.find(number);
    return found != jobs_.end() ? found->second : nullptr;
  }

  template <class Function>
  void for_each(Function function) const {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, job] : jobs_) numbers.push_back(number);
    for (const std::uint64_t number : numbers) {
      if (Job* job = find(number)) function(*job);
    }
  }

 private:
  std::map<std::uint64_t, Job*> jobs_;
  std::uint64_t last_ = 0;
};

}  // namespace lathe::agent
