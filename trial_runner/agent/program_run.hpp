// Runs a program to its end and takes what it prints, without the loop waiting for it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "children.hpp"

namespace lathe::agent {

struct ProgramOutput {
  std::optional<int> exit_code;  ///< set when it ended by itself in time
  std::string output;            ///< stdout and stderr together, the first mebibyte
  std::string error;             ///< why there is no exit code: "no answer in 5000 ms", …
};

/// Loop thread only. A program that does not end in time is killed and its process forgotten: one that hangs in the
/// kernel cannot hold up anything.
class ProgramRun : public std::enable_shared_from_this<ProgramRun> {
 public:
  using Done = std::function<void(ProgramOutput)>;

  /// `command` is for the shell. `done` is called once, from the loop, unless `stop` is called before.
  static std::shared_ptr<ProgramRun> start(boost::asio::io_context& io, Children& children, const std::string& command,
                                           std::chrono::milliseconds patience, Done done);
  ProgramRun(boost::asio::io_context& io, Children& children, Done done);

  void stop();

 private:
  void launch(const std::string& command);
  void limit(std::chrono::milliseconds patience);
  void read();
  void child_ended(const siginfo_t& info);
  void finish_if_complete();
  void finish(std::string error);
  void kill();

  boost::asio::io_context& io_;
  Children& children_;
  Done done_;
  boost::asio::posix::stream_descriptor pipe_;
  boost::asio::steady_timer timer_;
  std::string chunk_;
  ProgramOutput result_;
  pid_t child_ = 0;  ///< 0: none, or it has ended
  bool is_read_ = false;
};

/// The text as one word of a shell command.
[[nodiscard]] std::string shell_quoted(const std::string& text);

}  // namespace lathe::agent
