// Runs Slurm's commands beside the loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "program_run.hpp"

namespace lathe::agent {

class SlurmCommands {
 public:
  SlurmCommands(boost::asio::io_context& io, Children& children) : io_(io), children_(children) {}
  ~SlurmCommands();
  SlurmCommands(const SlurmCommands&) = delete;
  SlurmCommands& operator=(const SlurmCommands&) = delete;

  /// `done` is called from the loop, unless this is destroyed before. What does not end in time is killed.
  void run(const std::string& command, std::chrono::milliseconds patience, ProgramRun::Done done);

 private:
  boost::asio::io_context& io_;
  Children& children_;
  std::map<std::uint64_t, std::shared_ptr<ProgramRun>> runs_;
  std::uint64_t next_ = 0;
};

}  // namespace lathe::agent
