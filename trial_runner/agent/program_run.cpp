#include "program_run.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "child_process.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

constexpr std::size_t most_output = 1 << 20;
constexpr std::size_t chunk_bytes = 4096;

}  // namespace

std::shared_ptr<ProgramRun> ProgramRun::start(boost::asio::io_context& io, Children& children,
                                              const std::string& command, std::chrono::milliseconds patience,
                                              Done done) {
  auto run = std::make_shared<ProgramRun>(io, children, std::move(done));
  run->launch(command);
  run->limit(patience);
  return run;
}

ProgramRun::ProgramRun(boost::asio::io_context& io, Children& children, Done done)
    : io_(io), children_(children), done_(std::move(done)), pipe_(io), timer_(io), chunk_(chunk_bytes, '\0') {}

void ProgramRun::launch(const std::string& command) {
  const auto fail_later = [this](std::string error) {
    boost::asio::post(io_, [self = shared_from_this(), error = std::move(error)] { self->finish(error); });
  };
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_later(describe_errno("cannot make a pipe"));
  pipe_.assign(ends[0]);
  Descriptor output(ends[1]);
  Descriptor error_output(::fcntl(output.get(), F_DUPFD_CLOEXEC, 0));
  Descriptor root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto child =
      start_child({find_shell(), command, {}, std::move(root), std::move(output), std::move(error_output)});
  if (!child) return fail_later(child.error().message);
  child_ = *child;
  children_.when_ended(child_, [self = shared_from_this()](const siginfo_t& info) { self->child_ended(info); });
  read();
}

void ProgramRun::limit(std::chrono::milliseconds patience) {
  timer_.expires_after(patience);
  timer_.async_wait([self = shared_from_this(), patience](const boost::system::error_code& error) {
    if (!error) self->finish("no answer in " + std::to_string(patience.count()) + " ms");
  });
}

void ProgramRun::read() {
  pipe_.async_read_some(boost::asio::buffer(chunk_), [self = shared_from_this()](const boost::system::error_code& error,
                                                                                 std::size_t count) {
    if (error == boost::asio::error::operation_aborted) return;
    self->result_.output.append(self->chunk_, 0, std::min(count, most_output - self->result_.output.size()));
    if (!error) return self->read();
    self->is_read_ = true;
    self->finish_if_complete();
  });
}

void ProgramRun::child_ended(const siginfo_t& info) {
  child_ = 0;
  if (info.si_code == CLD_EXITED) {
    result_.exit_code = info.si_status;
  } else {
    result_.error = "ended by signal " + std::to_string(info.si_status);
  }
  finish_if_complete();
}

void ProgramRun::finish_if_complete() {
  if (child_ == 0 && is_read_) finish(result_.error);
}

void ProgramRun::finish(std::string error) {
  if (!done_) return;
  const Done done = std::exchange(done_, nullptr);
  if (!error.empty()) result_.exit_code.reset();
  result_.error = std::move(error);
  stop();
  done(std::move(result_));
}

void ProgramRun::stop() {
  done_ = nullptr;
  timer_.cancel();
  boost::system::error_code ignored;
  pipe_.close(ignored);
  kill();
}

void ProgramRun::kill() {
  if (child_ == 0) return;
  ::kill(-child_, SIGKILL);
  children_.forget(std::exchange(child_, 0));
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace lathe::agent
