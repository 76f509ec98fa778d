// The tables of the experiments that somebody looks at. A table is built from the database when it is first asked for,
// kept up to date by the events of the trials, and dropped when nobody has asked for a while or memory runs short.
//
// Loop thread only. What is asked is computed on the pool, one question of a table after the other (each has a strand),
// so that a table needs no lock and a slow question holds up neither the loop nor other experiments.
#pragma once

#include <any>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "analysis/trial_table.hpp"
#include "experiment/service.hpp"

namespace lathe::manager {

struct TrialTablesOptions {
  std::size_t bytes = 96u << 20;     ///< of all tables; the one in use is kept even if it is larger
  std::chrono::seconds idle{300};    ///< a table that nobody has asked for this long is dropped
  std::size_t pending_events = 256;  ///< that many are put into a table even if nobody asks
};

class TrialTables {
 public:
  using Clock = std::chrono::steady_clock;

  /// All of them outlive the tables; the loop must not run once these are destroyed.
  TrialTables(boost::asio::any_io_executor loop, boost::asio::any_io_executor pool, ExperimentService& service,
              TrialTablesOptions options = {});
  ~TrialTables();
  TrialTables(const TrialTables&) = delete;
  TrialTables& operator=(const TrialTables&) = delete;

  /// What `work(table)` returns (copyable), run on the pool on the experiment's table as it is now. An answer is kept
  /// until the table changes: the same `key` must always mean the same question.
  template <class Work>
  [[nodiscard]] Answer<std::invoke_result_t<Work&, const TrialTable&>> ask(std::string experiment_id, std::string key,
                                                                           Work work) {
    using Result = std::invoke_result_t<Work&, const TrialTable&>;
    auto erased = [work = std::move(work)](const TrialTable& table) mutable { return std::any(work(table)); };
    auto answer = co_await run(std::move(experiment_id), std::move(key), std::move(erased));
    if (!answer) co_return tl::unexpected(answer.error());
    co_return std::any_cast<Result>(std::move(*answer));
  }

  /// Tables that are held now.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Drops those that nobody has asked for since `now` less the idle time.
  void drop_idle(Clock::time_point now);

 private:
  struct Entry;
  using Question = std::function<std::any(const TrialTable&)>;

  [[nodiscard]] Answer<std::any> run(std::string experiment_id, std::string key, Question question);
  std::shared_ptr<Entry> obtain(const std::string& experiment_id);
  [[nodiscard]] boost::asio::awaitable<void> load(std::string experiment_id, std::shared_ptr<Entry> entry);
  void drop(const std::string& experiment_id, const std::shared_ptr<Entry>& entry);
  void hear(const Event& event);
  void flush(Entry& entry);
  void make_room(const std::shared_ptr<Entry>& used);
  void watch();

  boost::asio::any_io_executor loop_;
  boost::asio::any_io_executor pool_;
  ExperimentService& service_;
  TrialTablesOptions options_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::shared_ptr<void> subscription_;  ///< to the events, while there are entries
  struct Watch;
  std::shared_ptr<Watch> watch_;  ///< the timer that drops idle ones
};

}  // namespace lathe::manager
