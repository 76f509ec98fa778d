// The launcher of kind "pai": a trial is a job of an OpenPAI cluster, submitted through its REST server.
//
// The trial's folder lies on a storage that this host and the containers mount: the script that the container runs is
// written there, the trial's files come from there. Nothing is submitted that a next agent would not find: the job's
// random name is journalled before, and PAI takes a name once.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "launcher.hpp"
#include "pai/pai_settings.hpp"
#include "pai/pai_times.hpp"

namespace lathe::agent {

class PaiServer;

class PaiLauncher final : public Launcher {
 public:
  /// `owner_file` holds the name in which jobs are submitted; it is made with the first one.
  PaiLauncher(boost::asio::io_context& io, Children& children, std::filesystem::path owner_file, spdlog::logger& log,
              PaiTimes times = {});
  ~PaiLauncher() override;

  [[nodiscard]] proto::Result<std::unique_ptr<Job>> start(Launch launch, Job::Changed changed) override;
  [[nodiscard]] std::unique_ptr<Job> adopt(const AdoptedTrial& trial, Job::Changed changed) override;

 private:
  [[nodiscard]] PaiServer& server(const PaiAccess& access);
  [[nodiscard]] proto::Result<void> note_owner();

  boost::asio::io_context& io_;
  Children& children_;
  std::filesystem::path owner_file_;
  bool is_noted_;  ///< the file exists
  std::string owner_;
  spdlog::logger& log_;
  PaiTimes times_;
  std::map<PaiAccess, std::unique_ptr<PaiServer>> servers_;
};

}  // namespace lathe::agent
