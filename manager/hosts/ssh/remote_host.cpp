#include "hosts/ssh/remote_host.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "hosts/ssh/file_transfer.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
using proto::Result;

namespace {

/// A trial's copy of its code is what we sent ourselves.
const std::vector<std::string> kNotFetched{"code"};

std::string experiment_of(const std::string& attempt) {
  return attempt.substr(0, attempt.find('/'));
}

const std::string& trial_of(const proto::AgentEvent& event) {
  return std::visit([](const auto& kind) -> const std::string& { return kind.trial_id; }, event);
}

/// Whether the host has files of this end that count: it ran there, to whatever end, and does not run again.
bool has_files(const proto::AgentEvent& event) {
  const auto* exited = std::get_if<proto::TrialExited>(&event);
  return exited != nullptr && (exited->exit_code || exited->signal || exited->lost) && exited->killed_by != "requeue";
}

/// The ssh that carries files, begun when it is first needed. Used on the worker thread, interrupted from the loop.
class FileChannel {
 public:
  /// `settings`: of the connection to go through.
  FileChannel(std::shared_ptr<const SshMachine> machine, SshSettings settings, std::shared_ptr<HashCache> hashes)
      : machine_(std::move(machine)), settings_(std::move(settings)), hashes_(std::move(hashes)) {}
  ~FileChannel() { end(); }
  FileChannel(const FileChannel&) = delete;
  FileChannel& operator=(const FileChannel&) = delete;

  /// One that fails is begun anew the next time.
  Result<void> use(const std::function<Result<void>(FileTransfer&)>& work) {
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

  /// From any thread: what waits for the other end fails now.
  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }

 private:
  /// What the other end says may be of any shape.
  static Result<void> carry_out(const std::function<Result<void>(FileTransfer&)>& work, FileTransfer& transfer) {
    try {
      return work(transfer);
    } catch (const nlohmann::json::exception& error) {
      return proto::fail(std::string("the connection carries nonsense: ") + error.what());
    }
  }

  Result<void> begin() {
    const std::lock_guard lock(mutex_);
    if (interrupted_) return proto::fail("the connection has ended");
    if (process_) return {};
    auto started = SshProcess::start(
        ssh_beside(machine_->address, settings_, files_command(machine_->agent, machine_->daemon)), {});
    if (!started) return tl::unexpected(started.error());
    process_ = std::move(*started);
    socket_ = process_->take_socket();
    return {};
  }

  void end() {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    process_.reset();
  }

  std::shared_ptr<const SshMachine> machine_;
  SshSettings settings_;
  std::mutex mutex_;
  std::unique_ptr<SshProcess> process_;
  int socket_ = -1;
  bool interrupted_ = false;
  std::shared_ptr<HashCache> hashes_;
  Placed placed_;
};

}  // namespace

/// Shared with what runs for it, so that it outlives them.
class RemoteHost::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::any_io_executor executor, RemoteHostOptions options)
      : executor_(executor),
        options_(std::move(options)),
        connector_(std::make_shared<SshConnector>(executor, options_.machine)),
        link_(
            executor, [connector = connector_] { return connector->connect(); }, link_options(*options_.machine)),
        worker_(1) {}

  ~Core() {
    if (files_) files_->interrupt();
    worker_.join();
  }

  [[nodiscard]] const std::string& name() const { return link_.name(); }
  [[nodiscard]] bool connected() const { return link_.connected(); }

  void open(Listener listener) {
    listener_ = std::move(listener);
    const auto with_self = [weak = weak_from_this()](auto act) {
      return [weak, act](auto&&... arguments) {
        if (const auto self = weak.lock()) act(*self, std::forward<decltype(arguments)>(arguments)...);
      };
    };
    link_.open({
        with_self([](Core& self, const proto::Hello& hello) { self.on_connected(hello); }),
        with_self([](Core& self, proto::SequencedEvent event) { self.on_event(std::move(event)); }),
        with_self([](Core& self, proto::HostReport report) {
          if (self.listener_.report) self.listener_.report(std::move(report));
        }),
        with_self([](Core& self, const std::string& why) { self.on_disconnected(why); }),
        {},
        with_self([](Core& self, proto::TrialNote note) {
          if (self.listener_.note) self.listener_.note(std::move(note));
        }),
    });
  }

  void send(proto::ToAgent message) {
    if (auto* kill = std::get_if<proto::KillTrial>(&message)) {
      // The agent does not know a trial yet whose files are still on their way.
      const auto starting = starting_.find(kill->trial_id);
      if (starting != starting_.end()) {
        starting->second = std::move(*kill);
        return;
      }
    }
    link_.send(std::move(message));
  }

  void start(Launch launch) {
    if (!link_.connected() || ended_.contains(launch.start.trial_id)) return;
    starting_[launch.start.trial_id].reset();
    auto inputs = std::make_shared<const std::vector<TrialInput>>(std::move(launch.inputs));
    auto start = std::make_shared<const proto::StartTrial>(std::move(launch.start));
    work_on_files([inputs](FileTransfer& transfer) { return transfer.put(*inputs); },
                  [start](Core& self, const Result<void>& done) { self.finish_start(*start, done); });
  }

  asio::awaitable<void> close() {
    abandon();
    co_await link_.close();
  }

  /// No listener is called any more.
  void abandon() {
    listener_ = {};
    ++connection_;
    held_.clear();
    starting_.clear();
    if (files_) files_->interrupt();
    connector_->cancel();
  }

 private:
  static AgentLink::Options link_options(const SshMachine& machine) {
    AgentLink::Options options;
    options.name = machine.address.name();
    options.first_pause = std::chrono::milliseconds(500);
    options.longest_pause = std::chrono::milliseconds(30'000);
    options.jitter = 0.25;
    return options;
  }

  void on_connected(const proto::Hello& hello) {
    ++connection_;
    ended_.clear();
    root_ = hello.root;
    files_ = std::make_shared<FileChannel>(options_.machine, connector_->settings(), hashes_);
    if (listener_.connected) listener_.connected(hello);
  }

  void on_disconnected(const std::string& why) {
    ++connection_;
    held_.clear();
    starting_.clear();
    if (files_) files_->interrupt();
    const std::string complaint = connector_->complaint();
    if (listener_.disconnected) listener_.disconnected(complaint.empty() ? why : complaint);
  }

  void finish_start(const proto::StartTrial& start, const Result<void>& done) {
    const std::optional<proto::KillTrial> kill = std::move(starting_[start.trial_id]);
    starting_.erase(start.trial_id);
    // Its end came while its files were on their way, and once that is acknowledged the agent knows it no more.
    if (ended_.contains(start.trial_id)) return;
    if (done) {
      link_.send(start);
      if (kill) link_.send(*kill);
    } else if (listener_.not_started) {
      listener_.not_started(start.trial_id,
                            fmt::format("its files cannot be sent to {}: {}", name(), done.error().message));
    }
  }

  // ---- events: those of an experiment stay in order behind an end whose files are on their way ----

  void on_event(proto::SequencedEvent event) {
    if (const auto* exited = std::get_if<proto::TrialExited>(&event.event)) ended_.insert(exited->trial_id);
    const std::string experiment = experiment_of(trial_of(event.event));
    auto& held = held_[experiment];
    held.push_back(std::move(event));
    if (held.size() == 1) deliver(experiment);
  }

  void deliver(const std::string& experiment) {
    auto& held = held_[experiment];
    while (!held.empty() && !has_files(held.front().event)) pass_on(held);
    if (held.empty()) {
      held_.erase(experiment);
      return;
    }
    const RemoteHostOptions::Folders folders = options_.folders(trial_of(held.front().event));
    work_on_files([from = root_ + "/" + folders.there,
                   to = folders.here](FileTransfer& transfer) { return transfer.fetch(from, to, kNotFetched); },
                  [experiment, from = folders.there](Core& self, const Result<void>& done) {
                    // Without the files the result still counts; a connection that broke tells the end again.
                    if (!done) spdlog::warn("host {}: cannot fetch {}: {}", self.name(), from, done.error().message);
                    const auto found = self.held_.find(experiment);
                    if (found == self.held_.end() || found->second.empty()) return;
                    self.pass_on(found->second);
                    self.deliver(experiment);
                  });
  }

  void pass_on(std::deque<proto::SequencedEvent>& held) {
    proto::SequencedEvent event = std::move(held.front());
    held.pop_front();
    if (listener_.event) listener_.event(std::move(event));
  }

  // ---- the worker ----

  /// Runs `work` on the worker's thread, then `then` on the loop if the connection is still the same.
  void work_on_files(std::function<Result<void>(FileTransfer&)> work,
                     std::function<void(Core&, const Result<void>&)> then) {
    asio::post(worker_, [weak = weak_from_this(), executor = executor_, files = files_, connection = connection_,
                         work = std::move(work), then = std::move(then)]() mutable {
      Result<void> done = files->use(work);
      asio::post(executor, [weak, connection, then = std::move(then), done = std::move(done)] {
        const auto self = weak.lock();
        if (self && self->connection_ == connection) then(*self, done);
      });
    });
  }

  asio::any_io_executor executor_;
  RemoteHostOptions options_;
  std::shared_ptr<SshConnector> connector_;
  AgentLink link_;
  Listener listener_;
  std::string root_;
  std::uint64_t connection_ = 0;                                   ///< counts connections and their ends
  std::map<std::string, std::deque<proto::SequencedEvent>> held_;  ///< by experiment
  std::set<std::string> ended_;  ///< attempts whose end this connection has told
  /// Trials whose inputs are on their way, and what has been said of them meanwhile.
  std::map<std::string, std::optional<proto::KillTrial>> starting_;
  std::shared_ptr<HashCache> hashes_ = std::make_shared<HashCache>();  ///< the worker's
  std::shared_ptr<FileChannel> files_;
  asio::thread_pool worker_;
};

RemoteHost::RemoteHost(asio::any_io_executor executor, RemoteHostOptions options)
    : core_(std::make_shared<Core>(std::move(executor), std::move(options))) {}

RemoteHost::~RemoteHost() {
  core_->abandon();
}

const std::string& RemoteHost::name() const {
  return core_->name();
}

void RemoteHost::open(Listener listener) {
  core_->open(std::move(listener));
}

void RemoteHost::send(proto::ToAgent message) {
  core_->send(std::move(message));
}

void RemoteHost::start(Launch launch) {
  core_->start(std::move(launch));
}

bool RemoteHost::connected() const {
  return core_->connected();
}

asio::awaitable<void> RemoteHost::close() {
  co_await core_->close();
}

}  // namespace lathe::manager
