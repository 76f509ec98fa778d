// What running trials write, given to the daemon piece by piece (ReadLog of frames.hpp).
//
// Loop thread only. A piece is read when it is asked for; what is asked for before it is written waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>

#include "metric_watch.hpp"

namespace lathe::agent {

class LogReader {
 public:
  /// The directory of a trial that runs.
  using DirectoryOf = std::function<std::optional<std::filesystem::path>(const std::string& trial_id)>;
  using Send = std::function<void(const proto::LogText&)>;

  LogReader(boost::asio::io_context& io, DirectoryOf directory_of, Send send);

  /// Answers, now or when there is text, the time to wait is over, or the trial has ended.
  void take(proto::ReadLog read);

  /// Whoever waits for its text is told that it does not run.
  void trial_ended(const std::string& trial_id) { look_again(trial_id); }

  /// The daemon has gone: nobody waits any more.
  void forget_all();

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    proto::ReadLog read;
    Clock::time_point until;
  };

  void look_again(const std::string& trial_id);
  void look_at_all();
  void arm_timer();

  DirectoryOf directory_of_;
  Send send_;
  std::map<std::uint64_t, Waiting> waiting_;  ///< by request
  MetricWatch watch_;
  boost::asio::steady_timer timer_;
};

/// The piece that is asked for, from the file in `directory`. Neither a link nor anything but a plain file is read;
/// what is not there is empty. A tail begins at most 16 MiB before the end.
[[nodiscard]] proto::LogText read_log(const std::filesystem::path& directory, const proto::ReadLog& read);

}  // namespace lathe::agent
