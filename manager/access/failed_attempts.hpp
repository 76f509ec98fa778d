// Slows down who tries tokens, by client address. Arithmetic only: the caller knows the time, waits and logs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace lathe::manager {

class FailedAttempts {
 public:
  using Clock = std::chrono::steady_clock;

  struct Verdict {
    std::uint64_t count = 0;            ///< attempts of this address in a row, this one included
    std::chrono::milliseconds delay{};  ///< how long the answer is to be held back: 100 ms, doubled each time, to 2 s
    bool is_worth_a_line = false;       ///< the first ten, then every power of two, so that nobody can fill the log
  };

  /// Counts one more. Ten minutes without an attempt forget an address, and so do many other addresses.
  [[nodiscard]] Verdict count(const std::string& address, Clock::time_point now);

 private:
  struct Record {
    std::uint64_t count = 0;
    Clock::time_point last;
  };
  void make_room(Clock::time_point now);

  std::map<std::string, Record> records_;
};

}  // namespace lathe::manager
