#include "experiment/tuner_seat.hpp"

#include <exception>
#include <iterator>
#include <string>
#include <utility>

#include "storage/json_text.hpp"
#include "storage/trial_table.hpp"

namespace lathe::manager {

namespace asio = boost::asio;

namespace {

using SharedTuner = std::shared_ptr<tuners::Tuner>;

void replay(tuners::Tuner& tuner, const TrialOutcome& outcome) {
  tuner.add_pending(outcome.sequence, json_from(outcome.parameters));
  if (proto::is_final(outcome.status)) tuner.complete(outcome.sequence, outcome.metric);
}

TunerSeat::Suggestions ask(tuners::Tuner& tuner, const std::vector<Lesson>& lessons,
                           const std::vector<std::int64_t>& ids) {
  for (const Lesson& lesson : lessons) lesson(tuner);
  TunerSeat::Suggestions suggestions;
  for (const std::int64_t id : ids) suggestions.push_back(tuner.suggest(id));
  return suggestions;
}

}  // namespace

asio::awaitable<StorageResult<void>> TunerSeat::build(const ExperimentState& committed) {
  auto query = [make = make_tuner_, config = committed.config,
                id = committed.id()](Connection& connection) -> StorageResult<SharedTuner> {
    SharedTuner tuner = make(config->tuner, config->search_space);
    for_each_outcome(connection, id, [&tuner](const TrialOutcome& outcome) { replay(*tuner, outcome); });
    return tuner;
  };
  StorageResult<SharedTuner> built = co_await database_.read(std::move(query));
  if (!built) co_return tl::unexpected(built.error());
  tuner_ = std::move(*built);
  backlog_.clear();
  co_return StorageResult<void>{};
}

asio::awaitable<StorageResult<TunerSeat::Suggestions>> TunerSeat::suggest(const ExperimentState& committed,
                                                                          std::vector<Lesson> lessons,
                                                                          std::vector<std::int64_t> ids) {
  if (!tuner_) {
    const StorageResult<void> built = co_await build(committed);
    if (!built) co_return tl::unexpected(built.error());
  }
  std::vector<Lesson> all = std::exchange(backlog_, {});
  all.insert(all.end(), std::make_move_iterator(lessons.begin()), std::make_move_iterator(lessons.end()));
  auto work = [tuner = tuner_, all = std::move(all), ids = std::move(ids)]() -> StorageResult<Suggestions> {
    try {
      return ask(*tuner, all, ids);
    } catch (const std::exception& error) {
      return tl::unexpected(
          StorageError{StorageError::Kind::Refused, std::string("the tuner failed: ") + error.what(), {}});
    }
  };
  co_return co_await on_pool(pool_, std::move(work));
}

void TunerSeat::remember(std::vector<Lesson> lessons) {
  if (!tuner_) return;
  backlog_.insert(backlog_.end(), std::make_move_iterator(lessons.begin()), std::make_move_iterator(lessons.end()));
}

void TunerSeat::forget() {
  tuner_.reset();
  backlog_.clear();
}

}  // namespace lathe::manager
