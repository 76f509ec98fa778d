// The children of this process: reaps them all, and tells who asked about one of them.
//
// The process is a subreaper, so that orphans of its children come to it and leave no zombies. Loop thread only.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace lathe::agent {

class Children {
 public:
  using Ended = std::function<void(const siginfo_t& info)>;

  explicit Children(boost::asio::io_context& io);

  /// Calls `ended` once, on the loop, right before the child is reaped: until it returns the id is the child's. To be
  /// told in the same turn of the loop as the child is made.
  void when_ended(pid_t child, Ended ended);
  /// It is not called any more.
  void forget(pid_t child);

 private:
  void wait();
  void reap();

  boost::asio::signal_set signals_;
  std::map<pid_t, Ended> asked_;
};

}  // namespace lathe::agent
