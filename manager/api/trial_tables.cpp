#include "api/trial_tables.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <vector>

#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/trial_facts.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

/// Answers that a table keeps; each is at most about a megabyte.
constexpr std::size_t kept_answers = 8;
constexpr std::chrono::seconds look_after{30};

/// A table with the answers it has given since it changed. Used by one thread at a time.
class AnsweringTable {
 public:
  void put(const TrialRecord& record) { table_.put(facts_of(record)); }
  void put_events(const std::vector<std::string>& events) {
    for (const std::string& event : events) put_event(table_, event);
  }

  std::any answer(const std::string& key, const std::function<std::any(const TrialTable&)>& question) {
    if (version_ != table_.version()) answers_.clear();
    version_ = table_.version();
    for (const auto& [known, answer] : answers_) {
      if (known == key) return answer;
    }
    std::any answer = question(table_);
    answers_.emplace_front(key, answer);
    if (answers_.size() > kept_answers) answers_.pop_back();
    return answer;
  }

  [[nodiscard]] std::size_t bytes() const { return table_.bytes(); }

 private:
  TrialTable table_;
  std::uint64_t version_ = 0;
  std::deque<std::pair<std::string, std::any>> answers_;  ///< the latest first
};

}  // namespace

struct TrialTables::Entry {
  Entry(const asio::any_io_executor& loop, const asio::any_io_executor& pool)
      : strand(asio::make_strand(pool)), loaded(loop, Clock::time_point::max()) {}

  asio::strand<asio::any_io_executor> strand;
  std::shared_ptr<AnsweringTable> table;  ///< null: it is being read; touched on the strand only
  std::optional<ServiceError> failure;    ///< why it could not be read
  asio::steady_timer loaded;              ///< cancelled when it was read, or could not be
  std::vector<std::string> pending;       ///< events that are to be put into it
  Clock::time_point used{};
  std::size_t bytes = 0;
};

struct TrialTables::Watch {
  explicit Watch(const asio::any_io_executor& loop) : timer(loop) {}
  asio::steady_timer timer;
};

TrialTables::TrialTables(asio::any_io_executor loop, asio::any_io_executor pool, ExperimentService& service,
                         TrialTablesOptions options)
    : loop_(std::move(loop)), pool_(std::move(pool)), service_(service), options_(options) {}

TrialTables::~TrialTables() = default;

Answer<std::any> TrialTables::run(std::string experiment_id, std::string key, Question question) {
  const std::shared_ptr<Entry> entry = obtain(experiment_id);
  while (!entry->table && !entry->failure) co_await entry->loaded.async_wait(asio::as_tuple(asio::use_awaitable));
  if (entry->failure) co_return tl::unexpected(*entry->failure);
  entry->used = Clock::now();
  struct Done {
    std::any answer;
    std::size_t bytes = 0;
  };
  auto job = [table = entry->table, events = std::exchange(entry->pending, {}), key = std::move(key),
              question = std::move(question)]() -> asio::awaitable<Done> {
    table->put_events(events);
    std::any answer = table->answer(key, question);
    co_return Done{std::move(answer), table->bytes()};
  };
  Done done;
  std::exception_ptr defect;
  try {
    done = co_await asio::co_spawn(entry->strand, std::move(job), asio::use_awaitable);
  } catch (...) {
    defect = std::current_exception();
  }
  if (defect) {
    drop(experiment_id, entry);  // who knows which events it has missed
    std::rethrow_exception(defect);
  }
  entry->bytes = done.bytes;
  make_room(entry);
  co_return std::move(done.answer);
}

std::shared_ptr<TrialTables::Entry> TrialTables::obtain(const std::string& experiment_id) {
  if (const auto found = entries_.find(experiment_id); found != entries_.end()) return found->second;
  // Events first: what is committed while the table is being read is told, too, and may be put in twice.
  if (!subscription_) subscription_ = service_.events().subscribe([this](const Event& event) { hear(event); });
  if (!watch_) watch();
  auto entry = std::make_shared<Entry>(loop_, pool_);
  entry->used = Clock::now();
  entries_.emplace(experiment_id, entry);
  asio::co_spawn(loop_, load(experiment_id, entry), asio::detached);
  return entry;
}

asio::awaitable<void> TrialTables::load(std::string experiment_id, std::shared_ptr<Entry> entry) {
  const auto table = std::make_shared<AnsweringTable>();
  try {
    const auto each = [table](const TrialRecord& record) { table->put(record); };
    const ServiceResult<bool> scanned = co_await service_.scan_trials(experiment_id, each);
    if (!scanned) entry->failure = scanned.error();
  } catch (const std::exception& error) {
    spdlog::error("experiment {}: its trials cannot be read: {}", experiment_id, error.what());
    entry->failure = ServiceError{ServiceError::Kind::Unavailable, {{"its trials cannot be read", "", "", 0}}};
  }
  if (entry->failure) {
    drop(experiment_id, entry);
  } else {
    entry->table = table;
  }
  entry->loaded.cancel();
}

void TrialTables::drop(const std::string& experiment_id, const std::shared_ptr<Entry>& entry) {
  const auto found = entries_.find(experiment_id);
  if (found != entries_.end() && found->second == entry) entries_.erase(found);
}

void TrialTables::hear(const Event& event) {
  const auto found = entries_.find(event.experiment_id);
  if (found == entries_.end()) return;
  const std::shared_ptr<Entry> entry = found->second;
  if (event.kind == "deleted") entries_.erase(found);
  if (event.kind != "trial") return;
  entry->pending.push_back(event.data);
  if (entry->table && entry->pending.size() >= options_.pending_events) flush(*entry);
}

void TrialTables::flush(Entry& entry) {
  asio::post(entry.strand,
             [table = entry.table, events = std::exchange(entry.pending, {})] { table->put_events(events); });
}

/// Drops the tables that were asked for longest ago.
void TrialTables::make_room(const std::shared_ptr<Entry>& used) {
  for (;;) {
    std::size_t total = 0;
    auto oldest = entries_.end();
    for (auto place = entries_.begin(); place != entries_.end(); ++place) {
      total += place->second->bytes;
      if (place->second == used || !place->second->table) continue;
      if (oldest == entries_.end() || place->second->used < oldest->second->used) oldest = place;
    }
    if (total <= options_.bytes || oldest == entries_.end()) return;
    entries_.erase(oldest);
  }
}

void TrialTables::drop_idle(Clock::time_point now) {
  std::erase_if(entries_,
                [&](const auto& held) { return held.second->table && held.second->used + options_.idle < now; });
  if (!entries_.empty()) return;
  subscription_.reset();
  watch_.reset();
}

void TrialTables::watch() {
  if (!watch_) watch_ = std::make_shared<Watch>(loop_);
  watch_->timer.expires_after(look_after);
  watch_->timer.async_wait([this, watch = std::weak_ptr(watch_)](boost::system::error_code error) {
    if (error || watch.expired()) return;
    drop_idle(Clock::now());
    if (watch_) this->watch();
  });
}

}  // namespace lathe::manager
