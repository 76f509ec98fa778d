// Suggests {"x": id} for as long as it is told to, and remembers what it was told.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include <lathe/tuners/tuner.hpp>

namespace lathe::manager {

/// What the tuners of a test have in common; tuners work on pool threads.
struct TunerLog {
  std::mutex mutex;
  std::int64_t most = 1'000'000;  ///< suggestions before nothing is left
  bool broken = false;            ///< throws when asked
  int built = 0;
  int spaces = 0;  ///< update_search_space calls
  std::set<tuners::TrialId> pending;
  std::map<tuners::TrialId, std::optional<double>> completed;
  std::optional<std::uint64_t> seed;
};

class FakeTuner final : public tuners::Tuner {
 public:
  FakeTuner(std::shared_ptr<TunerLog> log, const proto::TunerConfig& config) : log_(std::move(log)) {
    const std::lock_guard lock(log_->mutex);
    ++log_->built;
    log_->pending.clear();
    log_->completed.clear();
    log_->seed = config.seed;
  }

  std::optional<nlohmann::ordered_json> suggest(tuners::TrialId id) override {
    const std::lock_guard lock(log_->mutex);
    if (log_->broken) throw std::runtime_error("no idea");
    if (id >= log_->most) return std::nullopt;
    log_->pending.insert(id);
    return nlohmann::ordered_json{{"x", id}};
  }

  void add_pending(tuners::TrialId id, const nlohmann::ordered_json&) override {
    const std::lock_guard lock(log_->mutex);
    log_->pending.insert(id);
  }

  void complete(tuners::TrialId id, std::optional<double> metric) override {
    const std::lock_guard lock(log_->mutex);
    if (log_->pending.erase(id) > 0) log_->completed[id] = metric;
  }

  void update_search_space(const proto::SearchSpace&) override {
    const std::lock_guard lock(log_->mutex);
    ++log_->spaces;
  }

 private:
  std::shared_ptr<TunerLog> log_;
};

}  // namespace lathe::manager
