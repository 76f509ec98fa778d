#include "hosts/ssh/file_channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace lathe::manager {

using proto::Result;

namespace {

/// What the other end says may be of any shape.
Result<void> carry_out(const std::function<Result<void>(FileTransfer&)>& work, FileTransfer& transfer) {
  try {
    return work(transfer);
  } catch (const nlohmann::json::exception& error) {
    return proto::fail(std::string("the connection carries nonsense: ") + error.what());
  }
}

}  // namespace

Result<void> FileChannel::use(const std::function<Result<void>(FileTransfer&)>& work) {
  if (auto begun = begin(); !begun) return begun;
  FileTransfer transfer(proto::FileStream(socket_, socket_), *hashes_, placed_);
  Result<void> done = carry_out(work, transfer);
  if (!done && done.error().message.starts_with("the connection")) {
    const std::string complaint = process_->complaint();
    if (!complaint.empty()) done = proto::fail(explain_ssh(complaint, machine_->address));
    end();
  }
  return done;
}

void FileChannel::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

Result<void> FileChannel::begin() {
  const std::lock_guard lock(mutex_);
  if (interrupted_) return proto::fail("the connection has ended");
  if (process_) return {};
  auto started =
      SshProcess::start(ssh_beside(machine_->address, settings_, files_command(machine_->agent, machine_->daemon)), {});
  if (!started) return tl::unexpected(started.error());
  process_ = std::move(*started);
  socket_ = process_->take_socket();
  return {};
}

void FileChannel::end() {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  process_.reset();
}

}  // namespace lathe::manager
