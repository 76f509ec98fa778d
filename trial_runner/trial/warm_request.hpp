// The words between lathe-agent and a warm parent (lathe/proto/warm_start.hpp), on the parent's side.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "result.hpp"

namespace lathe::trial {

/// What the agent asks one trial to be made of. Closes its descriptors.
class WarmRequest {
 public:
  /// The next one on the socket, for which it waits; nullopt: there will be none any more. Messages that are no request
  /// are skipped.
  [[nodiscard]] static std::optional<WarmRequest> receive(int socket);

  WarmRequest(WarmRequest&& other) noexcept;
  WarmRequest& operator=(WarmRequest&& other) = delete;
  WarmRequest(const WarmRequest&) = delete;
  WarmRequest& operator=(const WarmRequest&) = delete;
  ~WarmRequest();

  /// Tells the agent why there will be no such trial.
  void refuse(const std::string& reason) const;

  /// Makes the calling process the trial: says hello, waits at the gate, takes over environment, folder and streams.
  /// Returns when the agent has let it go; else the process ends, and says why through `report_pipe`.
  void become_trial(int report_pipe) const;

  /// Makes the calling process the keeper of its child `trial`, or just ends it when that is negative: runs the agent's
  /// program, which reads from `report_pipe`.
  [[noreturn]] void become_keeper(pid_t trial, int report_pipe) const;

 private:
  struct Descriptors {
    int working_directory = -1;
    int standard_output = -1;
    int standard_error = -1;
    int environment = -1;
    int gate = -1;
    int exit_record = -1;
    int keeper_program = -1;
  };
  explicit WarmRequest(const Descriptors& descriptors) : descriptors_(descriptors) {}

  Descriptors descriptors_;
};

}  // namespace lathe::trial
