// A trial whose command is a process of this host, under a keeper.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "descriptor.hpp"
#include "launcher.hpp"
#include "process_stat.hpp"
#include "process_watch.hpp"

namespace lathe::agent {

/// What a next agent needs to find the process again; journalled as JSON.
struct ProcessRecord {
  ProcessIdentity keeper;
  std::int64_t command = 0;  ///< process id; leader of a group in the keeper's session
  std::string exit_record;   ///< name of the file

  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// Fields that are missing or mistyped stay empty, and such a keeper is not alive.
  [[nodiscard]] static ProcessRecord from_json(const nlohmann::ordered_json& json);
};

class ProcessJob final : public Job {
 public:
  /// `folder` holds the exit record. `gate`: at which the command waits; not open: a former agent has started it.
  ProcessJob(boost::asio::io_context& io, ProcessRecord record, const std::filesystem::path& folder, Descriptor gate,
             Changed changed);

  [[nodiscard]] std::optional<std::int64_t> pid() const override { return record_.command; }
  [[nodiscard]] nlohmann::ordered_json record() const override { return record_.to_json(); }
  void release() override;
  void terminate() override;
  void kill() override;
  [[nodiscard]] const std::optional<JobEnd>& end() const override { return end_; }
  void forget() override;
  [[nodiscard]] std::int64_t session() const override { return record_.keeper.pid; }

 private:
  void keeper_ended();
  void end_session();
  void end_with(JobEnd end);

  ProcessRecord record_;
  std::filesystem::path exit_record_;
  Descriptor gate_;
  Changed changed_;
  std::optional<JobEnd> end_;
  boost::asio::steady_timer session_timer_;
  std::chrono::steady_clock::time_point session_deadline_;
  ProcessWatch keeper_;
};

}  // namespace lathe::agent
