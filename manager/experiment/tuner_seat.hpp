// The tuner of one experiment, off the loop: built when first needed by replaying what the database knows, taught
// what has happened since, asked for suggestions. One call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/tuners/tuner.hpp>

#include "experiment/turn.hpp"
#include "storage/database.hpp"

namespace lathe::manager {

using MakeTuner = std::function<std::unique_ptr<tuners::Tuner>(const proto::TunerConfig&, const proto::SearchSpace&)>;

class TunerSeat {
 public:
  TunerSeat(Database& database, boost::asio::thread_pool& pool, MakeTuner make_tuner)
      : database_(database), pool_(pool), make_tuner_(std::move(make_tuner)) {}

  /// What was asked for; an empty entry: the tuner has nothing left to suggest.
  using Suggestions = std::vector<std::optional<nlohmann::ordered_json>>;

  /// `committed`: the state that the database has; `lessons`: what the turn adds to it, not yet committed.
  [[nodiscard]] boost::asio::awaitable<StorageResult<Suggestions>> suggest(const ExperimentState& committed,
                                                                           std::vector<Lesson> lessons,
                                                                           std::vector<std::int64_t> ids);

  /// Lessons of a committed turn that no suggestion has needed so far.
  void remember(std::vector<Lesson> lessons);

  /// A turn was not committed: what the tuner was taught in it never happened.
  void forget();

 private:
  [[nodiscard]] boost::asio::awaitable<StorageResult<void>> build(const ExperimentState& committed);

  Database& database_;
  boost::asio::thread_pool& pool_;
  MakeTuner make_tuner_;
  std::shared_ptr<tuners::Tuner> tuner_;
  std::vector<Lesson> backlog_;
};

}  // namespace lathe::manager
