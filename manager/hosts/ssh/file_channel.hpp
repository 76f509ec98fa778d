// The ssh session that carries files to and from a host, begun when it is first needed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "hosts/ssh/file_transfer.hpp"
#include "hosts/ssh/ssh_connector.hpp"

namespace lathe::manager {

/// use() belongs to one thread; interrupt() may come from another.
class FileChannel {
 public:
  /// `settings`: of the connection to go through.
  FileChannel(std::shared_ptr<const SshMachine> machine, SshSettings settings, std::shared_ptr<HashCache> hashes)
      : machine_(std::move(machine)), settings_(std::move(settings)), hashes_(std::move(hashes)) {}
  ~FileChannel() { end(); }
  FileChannel(const FileChannel&) = delete;
  FileChannel& operator=(const FileChannel&) = delete;

  /// Blocking. A session that breaks is begun anew the next time.
  [[nodiscard]] proto::Result<void> use(const std::function<proto::Result<void>(FileTransfer&)>& work);

  /// What waits for the other end fails now, and so does all that comes later.
  void interrupt();

 private:
  [[nodiscard]] proto::Result<void> begin();
  void end();

  std::shared_ptr<const SshMachine> machine_;
  SshSettings settings_;
  std::mutex mutex_;  ///< guards the session against interrupt()
  std::unique_ptr<SshProcess> process_;
  int socket_ = -1;
  bool interrupted_ = false;
  std::shared_ptr<HashCache> hashes_;
  Placed placed_;
};

}  // namespace lathe::manager
