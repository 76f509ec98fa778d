// Watching a process that need not be a child of ours: it was started by a former agent, or has been handed on.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "process_stat.hpp"

namespace lathe::agent {

/// Loop thread only. Linux 5.3 tells of the end at once (pidfd); on older kernels /proc is looked at ten times a
/// second.
class ProcessWatch {
 public:
  /// Calls `ended` once from the loop when the process has ended, or if it is not alive now.
  ProcessWatch(boost::asio::io_context& io, ProcessIdentity process, std::function<void()> ended);

  /// Never reaches a later process with the same id. Nothing happens when the process has ended.
  void signal(int number);

 private:
  void wait();
  void poll();
  void tell();

  ProcessIdentity process_;
  std::function<void()> ended_;
  boost::asio::posix::stream_descriptor pidfd_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<ProcessWatch*> self_;  ///< outlived by handlers that are queued already
};

}  // namespace lathe::agent
