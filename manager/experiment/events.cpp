#include "experiment/events.hpp"

#include <random>
#include <utility>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

std::string random_epoch() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

using Listeners = std::map<std::uint64_t, EventBus::Listener>;

/// Takes its listener out of the table when it dies; the table may have died before.
class Subscription {
 public:
  Subscription(std::weak_ptr<Listeners> table, std::uint64_t id) : table_(std::move(table)), id_(id) {}
  ~Subscription() {
    if (const auto table = table_.lock()) table->erase(id_);
  }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

 private:
  std::weak_ptr<Listeners> table_;
  std::uint64_t id_;
};

}  // namespace

EventBus::EventBus(std::size_t history)
    : epoch_(random_epoch()), limit_(history), listeners_(std::make_shared<std::map<std::uint64_t, Listener>>()) {}

void EventBus::publish(std::string experiment_id, std::string kind, std::string data) {
  history_.push_back({++last_id_, std::move(experiment_id), std::move(kind), std::move(data)});
  const Event event = history_.back();
  while (history_.size() > limit_) history_.pop_front();
  // A listener may subscribe or drop others while it is told, so the table is not iterated directly.
  std::vector<std::uint64_t> ids;
  for (const auto& [id, listener] : *listeners_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto found = listeners_->find(id);
    if (found == listeners_->end()) continue;
    const Listener listener = found->second;
    listener(event);
  }
}

std::optional<std::vector<Event>> EventBus::since(std::uint64_t id) const {
  if (id > last_id_) return std::nullopt;
  const std::uint64_t oldest = last_id_ - history_.size() + 1;
  if (id + 1 < oldest) return std::nullopt;
  return std::vector<Event>(history_.begin() + static_cast<std::ptrdiff_t>(id + 1 - oldest), history_.end());
}

std::shared_ptr<void> EventBus::subscribe(Listener listener) {
  wanted_ = true;
  const std::uint64_t id = ++next_listener_;
  listeners_->emplace(id, std::move(listener));
  return std::make_shared<Subscription>(listeners_, id);
}

}  // namespace lathe::manager
