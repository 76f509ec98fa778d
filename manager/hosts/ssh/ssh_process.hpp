// A running ssh whose stdin and stdout are one end of a socket pair. Reaped by itself when it ends.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

class SshProcess {
 public:
  using Environment = std::map<std::string, std::string>;

  /// `environment` is added to the daemon's own.
  [[nodiscard]] static proto::Result<std::unique_ptr<SshProcess>> start(const std::vector<std::string>& arguments,
                                                                        const Environment& environment);

  /// Ends it: SIGTERM, after a while SIGKILL. Does not wait.
  ~SshProcess();
  SshProcess(const SshProcess&) = delete;
  SshProcess& operator=(const SshProcess&) = delete;

  /// Tells it to end; whoever reads from its socket finds that out.
  void terminate() const;

  /// Our end of the pair; the caller closes it. -1 when it was taken before.
  [[nodiscard]] int take_socket();

  /// What it has written to stderr so far, its last 4 KiB.
  [[nodiscard]] std::string complaint() const;

 private:
  SshProcess(pid_t pid, int socket, int complaints) : pid_(pid), socket_(socket), complaints_(complaints) {}

  pid_t pid_;
  int socket_;
  int complaints_;  ///< a file in memory
};

}  // namespace lathe::manager
