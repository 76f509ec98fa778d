// The jobs of one PAI by their numbers. Whoever goes through them may take some down on the way.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "pai/pai_job.hpp"

namespace lathe::agent {

class PaiJobs {
 public:
  [[nodiscard]] std::uint64_t add(PaiJob& job) {
    jobs_[++last_] = &job;
    return last_;
  }
  void remove(std::uint64_t number) { jobs_.erase(number); }

  /// Null: it has gone.
  [[nodiscard]] PaiJob* find(std::uint64_t number) const {
    const auto found = jobs_.find(number);
    return found != jobs_.end() ? found->second : nullptr;
  }

  template <class Function>
  void for_each(Function function) const {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, job] : jobs_) numbers.push_back(number);
    for (const std::uint64_t number : numbers) {
      if (PaiJob* job = find(number)) function(*job);
    }
  }

 private:
  std::map<std::uint64_t, PaiJob*> jobs_;
  std::uint64_t last_ = 0;
};

}  // namespace lathe::agent
