// The spool while the agent runs: what the disk refuses is written again later, and who has to know is told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "spool.hpp"

namespace lathe::agent {

/// Loop thread only.
class EventLog {
 public:
  /// `grown` is called when there are more events on disk than before.
  EventLog(boost::asio::io_context& io, Spool spool, spdlog::logger& log, std::function<void()> grown);

  [[nodiscard]] const Spool& spool() const { return spool_; }

  /// See Spool::start.
  [[nodiscard]] proto::Result<void> start(const RunningTrial& trial, const std::optional<proto::TrialStarted>& started);
  void update(const RunningTrial& trial);
  void record(const std::vector<NewEvent>& events);
  void acknowledge(std::uint64_t sequence) { spool_.acknowledge(sequence); }
  [[nodiscard]] proto::Result<void> compact() { return spool_.compact(); }

  /// So much is not acknowledged that further metrics are to wait in the trials' own files.
  [[nodiscard]] bool is_full() const;

  /// Frames of events behind `sent`, up to about `bytes` of them; `sent` becomes the last one's number.
  [[nodiscard]] std::string frames_after(std::uint64_t& sent, std::size_t bytes) const;

 private:
  void written(bool was_waiting);
  void retry();

  Spool spool_;
  spdlog::logger& log_;
  std::function<void()> grown_;
  boost::asio::steady_timer timer_;
};

}  // namespace lathe::agent
