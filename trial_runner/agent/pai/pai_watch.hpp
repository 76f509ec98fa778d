// What one PAI knows about the jobs of this agent: asks for all of them at once, and has stopped what is to end.
//
// It asks every two seconds while something changes and every fifteen when nothing does. A request that fails ends no
// trial: it is made again, after longer and longer pauses. What jobs leave in their folders is looked at meanwhile. A
// job in the agent's name that runs for no trial is stopped.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "pai/pai_answers.hpp"
#include "pai/pai_client.hpp"
#include "pai/pai_jobs.hpp"
#include "pai/pai_times.hpp"
#include "poll_pace.hpp"

namespace lathe::agent {

class PaiWatch {
 public:
  /// `prefix`: how the names of this agent's jobs begin.
  PaiWatch(boost::asio::io_context& io, PaiClient& client, PaiJobs& jobs, std::string prefix, PaiTimes times,
           spdlog::logger& log);

  /// There is something new to learn.
  void poll_soon();
  void stop_soon();

 private:
  using Clock = std::chrono::steady_clock;

  void arm(std::chrono::milliseconds wait);
  void poll();
  void take_listing(const HttpAnswer& answer);
  void take_failure(const std::string& why);
  void rearm();
  [[nodiscard]] bool is_news(const PaiListing& listing);
  [[nodiscard]] bool has_submitted() const;

  void ask_details();
  void take_detail(std::uint64_t number, const HttpAnswer& answer);
  void ask_cluster_use(const PaiListing& listing);
  void stop_strangers(const PaiListing& listing);

  void stop();
  void send_stop(PaiJob& job);
  void watch_files();

  PaiClient& client_;
  PaiJobs& jobs_;
  std::string prefix_;
  PaiTimes times_;
  spdlog::logger& log_;
  boost::asio::steady_timer poll_timer_;
  boost::asio::steady_timer stop_timer_;
  boost::asio::steady_timer file_timer_;
  PollPace pace_;
  std::chrono::milliseconds retry_;
  bool is_armed_ = false;
  bool is_asking_ = false;
  bool is_soon_ = false;  ///< something new came up while a listing was under way
  bool is_stopping_soon_ = false;
  bool is_watching_files_ = false;
  std::string trouble_;              ///< why PAI cannot be asked; empty: it can
  std::string last_;                 ///< what the listing said of our jobs
  std::set<std::string> strangers_;  ///< jobs that ran for no trial at the last listing

  struct ClusterUse {
    std::string text;
    Clock::time_point asked;
  };
  std::map<std::string, ClusterUse> clusters_;
};

}  // namespace lathe::agent
