// The daemon's side of the frames, as tests drive it. Everything that waits has a deadline and throws when it passes.
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <lathe/proto/frames.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

class FakeDaemon {
 public:
  /// Connects to the agent of the folder and takes its Hello.
  explicit FakeDaemon(const std::filesystem::path& state_dir);

  [[nodiscard]] const proto::Hello& hello() const { return hello_; }
  void send(const proto::ToAgent& message) { send_bytes(proto::encode_frame(message)); }
  void send_bytes(const std::string& bytes);

  /// The next event; nullopt: the agent has closed the connection. Reports on the way are put into `reports`.
  std::optional<proto::SequencedEvent> next();

  /// Takes events until the trial's end comes. All events taken so far are in `events`.
  proto::TrialExited wait_for_exit(const std::string& trial_id);
  proto::TrialMetric wait_for_metric(const std::string& trial_id);
  /// Takes what comes until there is one more report.
  proto::HostReport wait_for_report();
  /// Takes what comes until the answer to that ReadLog is there.
  proto::LogText wait_for_text(std::uint64_t request);
  /// Takes events until the agent closes the connection.
  void wait_for_close();

  [[nodiscard]] std::vector<std::string> metrics_of(const std::string& trial_id) const;

  std::vector<proto::SequencedEvent> events;
  std::vector<proto::HostReport> reports;
  std::vector<proto::TrialNote> notes;
  std::vector<proto::LogText> texts;

 private:
  std::optional<proto::FromAgent> receive();
  /// Puts the next message where it belongs; false: the connection has ended.
  bool take();

  Descriptor socket_;
  proto::FrameReader frames_;
  proto::Hello hello_;
};

}  // namespace lathe::agent
