// Hands jobs to one PAI, one after the other. PAI that is away, busy or wants another token is tried again; what it
// refuses for good is the trial's end.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "pai/pai_client.hpp"
#include "pai/pai_jobs.hpp"
#include "pai/pai_times.hpp"

namespace lathe::agent {

class PaiSubmitter {
 public:
  /// `submitted` is called when PAI has taken a job.
  PaiSubmitter(boost::asio::io_context& io, PaiClient& client, PaiJobs& jobs, PaiTimes times, spdlog::logger& log,
               std::function<void()> submitted);

  void add(std::uint64_t number);

 private:
  void arm(std::chrono::milliseconds wait);
  void submit();
  void send(PaiJob& job);
  void take(std::uint64_t number, const HttpAnswer& answer);
  void take_failure(PaiJob& job, const PaiRefusal& refusal);

  PaiClient& client_;
  PaiJobs& jobs_;
  PaiTimes times_;
  spdlog::logger& log_;
  std::function<void()> submitted_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds retry_;
  std::deque<std::uint64_t> waiting_;
  bool is_armed_ = false;
  bool is_sending_ = false;
  std::string trouble_;  ///< that is in the log already
};

}  // namespace lathe::agent
