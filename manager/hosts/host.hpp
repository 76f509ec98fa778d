// A place where trials run, seen through its lathe-agent. Loop thread only.
//
// A host keeps itself connected: it starts its agent where it can, and reconnects with growing pauses until closed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <lathe/proto/frames.hpp>

namespace lathe::manager {

/// Something on this machine's disk, or a text, that a trial finds on its host.
struct TrialInput {
  enum class Kind {
    File,
    Tree,  ///< a folder, but for what its .latheignore names
    Code,  ///< a Tree as it is now, which no later one changes: it lies in a folder of its own below `to`
    Text,
    Program,  ///< an executable with the libraries that it needs, so that it runs where none of them is installed
  };
  Kind kind = Kind::File;
  std::filesystem::path from;  ///< absolute; not of Text
  std::string text;            ///< of Text
  std::string to;              ///< absolute, on the host
};

/// A start and what has to be on the host before it. Where a host has this machine's disk there are no inputs. A
/// code_tree that is the `to` of a Code input stands for the folder below it.
struct Launch {
  proto::StartTrial start;
  std::vector<TrialInput> inputs{};
};

class Host {
 public:
  /// What a host tells its owner. All are called on the loop, never from inside a call to the host.
  struct Listener {
    std::function<void(const proto::Hello&)> connected;
    std::function<void(proto::SequencedEvent)> event;  ///< in the order the agent sent them; repeats are possible
    std::function<void(proto::HostReport)> report;     ///< how the host is now
    std::function<void(const std::string& why)> disconnected;  ///< also each time a new attempt to connect fails
    /// A start that could not be carried out, since its inputs cannot be brought there.
    std::function<void(const std::string& trial_id, const std::string& why)> not_started;
    std::function<void(proto::TrialNote)> note;      ///< how a trial that has not ended is
    std::function<void(proto::LogText)> log_text{};  ///< the answer to a ReadLog
  };

  virtual ~Host() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;

  /// Begins to connect and goes on until close(). Call once.
  virtual void open(Listener listener) = 0;

  /// Queues a message; dropped when not connected: the owner says again what still matters after each `connected`.
  /// After a Shutdown the host stays disconnected once the agent has gone.
  virtual void send(proto::ToAgent message) = 0;

  /// Brings the inputs there, then sends the start; dropped when not connected.
  virtual void start(Launch launch) { send(std::move(launch.start)); }

  /// Removes there what nobody needs any more, soon. Where a host has this machine's disk there is nothing to do.
  virtual void tidy() {}

  /// Tidies, then ends the agent: it has nothing to do any more.
  virtual void retire() { send(proto::Shutdown{"idle", 0}); }

  [[nodiscard]] virtual bool connected() const = 0;

  /// Ends the connection; the agent and its trials live on. No listener is called after this returns.
  [[nodiscard]] virtual boost::asio::awaitable<void> close() = 0;
};

}  // namespace lathe::manager
