#include "hosts/ssh/remote_host.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "hosts/ssh/attempt_ledger.hpp"
#include "hosts/ssh/file_channel.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
using proto::Result;

namespace {

constexpr std::chrono::seconds kSweepPause{1};

/// A trial's copy of its code is what we sent ourselves.
const std::vector<std::string> kNotFetched{"code"};

constexpr int kFetchTries = 3;
constexpr std::chrono::milliseconds kFetchPause{500};

const std::string& trial_of(const proto::AgentEvent& event) {
  return std::visit([](const auto& kind) -> const std::string& { return kind.trial_id; }, event);
}

/// Whether the host has files of this end that count: it ran there, to whatever end, and does not run again.
bool has_files(const proto::AgentEvent& event) {
  const auto* exited = std::get_if<proto::TrialExited>(&event);
  return exited != nullptr && (exited->exit_code || exited->signal || exited->lost) && exited->killed_by != "requeue";
}

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
        ledger_([folders = options_.folders](const std::string& attempt) { return folders(attempt).there; }),
        sweep_timer_(executor),
        fetch_timer_(executor),
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
        with_self([](Core& self, proto::LogText text) {
          if (self.listener_.log_text) self.listener_.log_text(std::move(text));
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
    const auto* ack = std::get_if<proto::Ack>(&message);
    const bool is_end = ack != nullptr && ledger_.acknowledge(ack->sequence);
    link_.send(std::move(message));
    if (is_end) sweep_soon();
  }

  void tidy() { sweep(/*is_thorough=*/true); }

  void retire() {
    is_retiring_ = true;
    if (link_.connected()) sweep(/*is_thorough=*/true);
  }

  void start(Launch launch) {
    if (!link_.connected()) return;
    starting_[launch.start.trial_id].reset();
    auto inputs = std::make_shared<const std::vector<TrialInput>>(std::move(launch.inputs));
    auto start = std::make_shared<proto::StartTrial>(std::move(launch.start));
    work_on_files(
        [inputs, start](FileTransfer& transfer) -> Result<void> {
          const auto folders = transfer.put(*inputs);
          if (!folders) return tl::unexpected(folders.error());
          if (const auto code = folders->find(start->code_tree); code != folders->end())
            start->code_tree = code->second;
          return {};
        },
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
    sweep_timer_.cancel();
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
    root_ = hello.root;
    files_ = std::make_shared<FileChannel>(options_.machine, connector_->settings(), hashes_);
    ledger_.begin(hello.running);
    sweeps_ = 0;
    sweep(/*is_thorough=*/true);
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
    if (done) {
      ledger_.started(start.trial_id);
      link_.send(start);
      if (kill) link_.send(*kill);
    } else if (listener_.not_started) {
      listener_.not_started(start.trial_id,
                            fmt::format("its files cannot be sent to {}: {}", name(), done.error().message));
    }
  }

  // ---- events: all wait behind an end whose files are on their way, since an Ack covers what came before ----

  void on_event(proto::SequencedEvent event) {
    held_.push_back(std::move(event));
    if (held_.size() == 1) deliver();
  }

  void deliver() {
    while (!held_.empty() && !is_to_be_fetched(held_.front().event)) pass_on();
    if (!held_.empty()) fetch(options_.folders(trial_of(held_.front().event)), kFetchTries);
  }

  void fetch(const RemoteHostOptions::Folders& folders, int tries) {
    work_on_files([from = root_ + "/" + folders.there,
                   to = folders.here](FileTransfer& transfer) { return transfer.fetch(from, to, kNotFetched); },
                  [folders, tries](Core& self, const Result<void>& done) { self.finish_fetch(folders, tries, done); });
  }

  /// Without its files a result still counts. But the session for files may just have been the first to see that the
  /// connection has ended, and the next connection tells the end again: so nothing is given up before that is known.
  void finish_fetch(const RemoteHostOptions::Folders& folders, int tries, const Result<void>& done) {
    if (!done && tries > 1) return fetch_later(folders, tries - 1);
    if (!done) spdlog::warn("host {}: cannot fetch {}: {}", name(), folders.there, done.error().message);
    pass_on();
    deliver();
  }

  void fetch_later(const RemoteHostOptions::Folders& folders, int tries) {
    fetch_timer_.expires_after(kFetchPause);
    fetch_timer_.async_wait(
        [weak = weak_from_this(), connection = connection_, folders, tries](boost::system::error_code error) {
          const auto self = weak.lock();
          if (!error && self && self->connection_ == connection) self->fetch(folders, tries);
        });
  }

  [[nodiscard]] bool is_to_be_fetched(const proto::AgentEvent& event) const {
    return has_files(event) && (!options_.is_running || options_.is_running(trial_of(event)));
  }

  void pass_on() {
    proto::SequencedEvent event = std::move(held_.front());
    held_.pop_front();
    if (const auto* exited = std::get_if<proto::TrialExited>(&event.event))
      ledger_.ended(event.sequence, exited->trial_id);
    if (listener_.event) listener_.event(std::move(event));
  }

  // ---- what nobody needs any more ----

  /// Ends come in swarms.
  void sweep_soon() {
    if (std::exchange(is_sweep_due_, true)) return;
    sweep_timer_.expires_after(kSweepPause);
    sweep_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      if (const auto self = weak.lock(); self && !error) self->sweep(/*is_thorough=*/false);
    });
  }

  /// What is needed is decided between looking and removing, on the loop: a start that comes later is carried out later
  /// than the removal.
  void sweep(bool is_thorough) {
    is_sweep_due_ = false;
    ++sweeps_;
    if (!options_.is_needed || !files_) return end_sweep({});
    const auto folders = std::make_shared<std::vector<std::string>>();
    work_on_files(
        [folders](FileTransfer& transfer) -> Result<void> {
          auto listed = transfer.list();
          if (!listed) return tl::unexpected(listed.error());
          *folders = std::move(*listed);
          return {};
        },
        [folders, is_thorough](Core& self, const Result<void>& done) {
          if (!done) return self.end_sweep(done);
          self.remove(self.ledger_.dispensable(*folders, self.options_.is_needed), is_thorough);
        });
  }

  void remove(std::vector<std::string> folders, bool is_thorough) {
    if (folders.empty() && !is_thorough) return end_sweep({});
    work_on_files(
        [root = root_, folders = std::move(folders), is_thorough](FileTransfer& transfer) -> Result<void> {
          const auto removed = folders.empty() ? Result<void>() : transfer.remove(root, folders);
          return removed && is_thorough ? transfer.prune() : removed;
        },
        [](Core& self, const Result<void>& done) { self.end_sweep(done); });
  }

  void end_sweep(const Result<void>& done) {
    if (!done) spdlog::warn("host {}: cannot tidy up there: {}", name(), done.error().message);
    if (--sweeps_ == 0 && is_retiring_) link_.send(proto::Shutdown{"idle", 0});
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
  std::uint64_t connection_ = 0;            ///< counts connections and their ends
  std::deque<proto::SequencedEvent> held_;  ///< not passed on yet
  /// Trials whose inputs are on their way, and what has been said of them meanwhile.
  std::map<std::string, std::optional<proto::KillTrial>> starting_;
  AttemptLedger ledger_;
  asio::steady_timer sweep_timer_;
  bool is_sweep_due_ = false;
  bool is_retiring_ = false;
  int sweeps_ = 0;                                                     ///< under way
  std::shared_ptr<HashCache> hashes_ = std::make_shared<HashCache>();  ///< the worker's
  std::shared_ptr<FileChannel> files_;
  asio::steady_timer fetch_timer_;
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

void RemoteHost::tidy() {
  core_->tidy();
}

void RemoteHost::retire() {
  core_->retire();
}

bool RemoteHost::connected() const {
  return core_->connected();
}

asio::awaitable<void> RemoteHost::close() {
  co_await core_->close();
}

}  // namespace lathe::manager
