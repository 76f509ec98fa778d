// What lathed and lathe-agent say to each other: length-prefixed JSON over any byte stream.
//
// A frame is a 4-byte big-endian length (of the JSON alone, at most max_frame_bytes) and that many bytes of UTF-8 JSON,
// an object with "type". The agent greets first (Hello). Every event that the agent emits has a sequence number, counts
// up from 1 for the life of its state folder, and stays in its spool until an Ack covers it; after a reconnect the
// agent first sends what is unacknowledged, in order. The daemon acknowledges only what its database has committed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

inline constexpr std::uint32_t frame_protocol_version = 2;
inline constexpr std::uint32_t max_frame_bytes = 16u << 20;
inline constexpr std::size_t max_log_bytes = 64 << 10;
/// The texts of a trial that can be read while it runs.
inline constexpr std::array<std::string_view, 3> log_names{"stdout", "stderr", "trial.log"};

// ---- daemon → agent -------------------------------------------------------------------------------------------------

/// Starts a process in a process group of its own. Starting an id that the agent already knows is ignored (idempotent),
/// so that the daemon may repeat itself after a reconnect.
struct StartTrial {
  std::string trial_id;           ///< unique among all trials of the daemon, attempts included
  std::string command;            ///< run by bash -c (sh where there is no bash)
  std::string working_directory;  ///< absolute
  std::string directory;          ///< absolute; created; holds stdout, stderr, parameter.cfg, .nni/metrics
  std::map<std::string, std::string> environment;  ///< added to the agent's own
  std::string parameter_file;                      ///< content of parameter.cfg; empty: not written
  std::optional<std::int64_t> max_duration_s;      ///< the agent itself ends the trial after this long
  std::string code_tree;  ///< absolute; a folder that is copied to directory/code before the start; empty: none
  /// Who runs the command: null: the agent, as a child of its own. Else an object with `kind` and that launcher's
  /// settings, e.g. {"kind": "slurm", "directives": ["--partition=gpu"], "prologue": "module load cuda"}.
  nlohmann::ordered_json launcher;
};

/// Ends a trial: SIGTERM to its group, SIGKILL after the grace time. Unknown ids are ignored.
struct KillTrial {
  std::string trial_id;
  std::string reason;  ///< comes back in TrialExited.killed_by: "user", "stop", "duration", "requeue"
  std::int64_t grace_ms = 5000;
};

/// Everything up to and including this sequence number is committed; the agent may drop it from its spool.
struct Ack {
  std::uint64_t sequence = 0;
};

/// The agent ends its trials (as if killed for `reason`), waits for them, and exits.
struct Shutdown {
  std::string reason;
  std::int64_t grace_ms = 5000;
};

/// Asks for a piece of the text that a trial which has not ended has written so far. Only to agents that say that they
/// read logs (Hello).
struct ReadLog {
  std::uint64_t request = 0;  ///< comes back in LogText
  std::string trial_id;
  std::string name;                  ///< of the file in the trial's directory: one of log_names
  std::uint64_t offset = 0;          ///< where to begin, in bytes
  std::optional<std::int64_t> tail;  ///< so many lines before the end instead
  std::int64_t wait_ms = 0;          ///< how long to wait for text at the offset when there is none
};

using ToAgent = std::variant<StartTrial, KillTrial, Ack, Shutdown, ReadLog>;

// ---- agent → daemon -------------------------------------------------------------------------------------------------

/// First frame after a connection is made.
struct Hello {
  std::uint32_t protocol = frame_protocol_version;
  std::string version;  ///< of the agent program
  std::string host;
  std::int64_t pid = 0;
  std::string state_id;             ///< random, made with the state folder; a new one restarts the sequence numbers
  std::uint64_t last_sequence = 0;  ///< of the last event emitted
  /// Trials that run now or whose end is not acknowledged yet. A start that is none of these never arrived.
  std::vector<std::string> running;
  std::string root;           ///< absolute; folder of this host for the files of trials that come from elsewhere
  std::string trial_program;  ///< absolute; lathe-trial of the same version, where the host has it; else empty
  bool reads_logs = false;    ///< it knows ReadLog, which earlier builds do not
};

/// A process that uses a GPU.
struct GpuProcess {
  std::int64_t pid = 0;
  std::string name;      ///< of the program; may be empty
  std::string user;      ///< may be empty
  std::string trial_id;  ///< the trial of this agent that it belongs to; empty: none
};

struct Gpu {
  std::int64_t index = 0;  ///< as CUDA_VISIBLE_DEVICES counts with CUDA_DEVICE_ORDER=PCI_BUS_ID
  std::string uuid;
  std::string name;
  std::int64_t memory_bytes = 0;
  std::int64_t memory_used_bytes = 0;
  std::int64_t utilization = 0;  ///< percent
  std::vector<GpuProcess> processes;
};

/// How the host is. Sent after Hello and whenever something about it has changed, at most every few seconds; has no
/// sequence number, since only the newest counts.
struct HostReport {
  std::vector<Gpu> gpus;
  std::string gpu_error;  ///< why GPUs could not be looked at, although there seem to be some
  std::int64_t cores = 0;
  double load = 0;  ///< of the last minute
  std::int64_t memory_bytes = 0;
  std::int64_t memory_free_bytes = 0;  ///< MemAvailable
  std::int64_t disk_free_bytes = 0;    ///< where `root` is
  std::int64_t time_ms = 0;
};

/// How a trial that has not ended is, for people: why its job waits in a queue, where it runs. Sent when it has
/// changed, and after Hello; has no sequence number, since only the newest counts.
struct TrialNote {
  std::string trial_id;
  std::string text;
};

/// The process exists.
struct TrialStarted {
  std::string trial_id;
  std::int64_t pid = 0;
  std::int64_t time_ms = 0;  ///< Unix time
};

/// One metric frame that the trial wrote (see trial_files.hpp), verbatim.
struct TrialMetric {
  std::string trial_id;
  std::string payload;  ///< the JSON text inside the ME frame
  std::int64_t time_ms = 0;
};

/// The process has ended, its group is gone and every metric it wrote has been sent. Sent once per started trial.
struct TrialExited {
  std::string trial_id;
  std::optional<int> exit_code;  ///< set when it exited by itself
  std::optional<int> signal;     ///< set when a signal ended it
  std::string error;             ///< set when it could not be started, or was lost: "agent was killed", …
  bool lost = false;             ///< true: how it ended is unknown (the agent died under it); may be run again
  std::string killed_by;         ///< KillTrial.reason, "duration", or empty
  std::string stderr_tail;       ///< last lines of stderr, at most 4 KiB, valid UTF-8
  std::int64_t time_ms = 0;
};

using AgentEvent = std::variant<TrialStarted, TrialMetric, TrialExited>;

struct SequencedEvent {
  std::uint64_t sequence = 0;
  AgentEvent event;
};

/// The answer to a ReadLog. It is asked for piece by piece, so that nothing piles up, and each piece says where it
/// stands, so that nothing comes twice when a connection breaks in between.
struct LogText {
  std::uint64_t request = 0;
  bool runs = false;         ///< false: the agent has no such trial that runs, and nothing below counts
  std::uint64_t offset = 0;  ///< of the first byte; 0 when the file is shorter than the offset that was asked for
  std::uint64_t size = 0;    ///< of the file at present
  std::string bytes;         ///< as they are in the file, at most max_log_bytes; Base64 in the frame
};

using FromAgent = std::variant<Hello, SequencedEvent, HostReport, TrialNote, LogText>;

// ---- codec ----------------------------------------------------------------------------------------------------------

/// One whole frame, length prefix included.
[[nodiscard]] std::string encode_frame(const ToAgent& message);
[[nodiscard]] std::string encode_frame(const FromAgent& message);

/// The JSON inside a frame (also the line format of the agent's spool). Invalid UTF-8 in strings becomes U+FFFD.
[[nodiscard]] std::string encode_json(const FromAgent& message);

/// Puts the length prefix before JSON that is encoded already. Throws std::length_error above max_frame_bytes.
[[nodiscard]] std::string frame_json(std::string_view json);

/// Parses the JSON of one frame; unknown types, missing and mistyped fields are errors that name the field.
[[nodiscard]] Result<ToAgent> decode_to_agent(std::string_view json);
[[nodiscard]] Result<FromAgent> decode_from_agent(std::string_view json);

/// Cuts a byte stream into frames. Feed bytes as they come; take frames until none is left.
class FrameReader {
 public:
  void feed(std::string_view bytes);
  /// The JSON of the next complete frame; nullopt: more bytes are needed; an error: the stream is broken for good.
  [[nodiscard]] Result<std::optional<std::string>> next();

 private:
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace lathe::proto
