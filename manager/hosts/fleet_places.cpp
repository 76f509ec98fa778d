// Who gets which place: what the fleet knows, put before the pure rules of placement.hpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hosts/fleet_seat.hpp"

namespace lathe::manager {

using Clock = std::chrono::steady_clock;

/// What an experiment says of a host's slots holds for itself alone; the fair shares are of the most that anybody says.
void Fleet::set_limits() {
  for (const auto& [id, seat] : seats_) {
    std::optional<std::int64_t> limit;
    bool is_open = false;
    for (const auto& [experiment, user] : users_) {
      for (const HostSpec& spec : user.specs) {
        if (spec.id != id) continue;
        if (!spec.slots) is_open = true;
        if (spec.slots) limit = std::max(limit.value_or(0), *spec.slots);
      }
    }
    if (is_open) limit.reset();
    if (seat->spec.kind == HostSpec::Kind::Local && !limit) limit = options_.local_slots;
    seat->slots.set_limit(limit);
  }
}

Offer Fleet::offer(const std::string& experiment, std::int64_t most) {
  const auto found = users_.find(experiment);
  if (found == users_.end()) return {{}, "its hosts are not known"};
  User& user = found->second;
  std::vector<Candidate> candidates;
  for (const HostSpec& spec : user.specs) candidates.push_back(candidate(experiment, spec));
  Offer offer = find_places(user.gpus, most, std::move(candidates));
  const bool blocked = most > 0 && offer.places.empty() && user.gpus.value_or(0) > 0;
  if (!blocked)
    user.blocked_since.reset();
  else if (!user.blocked_since)
    user.blocked_since = Clock::now();
  return offer;
}

Candidate Fleet::candidate(const std::string& experiment, const HostSpec& spec) const {
  Candidate candidate;
  candidate.spec = spec;
  if (spec.kind == HostSpec::Kind::Local && !spec.slots) candidate.spec.slots = options_.local_slots;
  const auto found = seats_.find(spec.id);
  if (found == seats_.end()) {
    candidate.obstacle = fmt::format("host {} is not known", spec.id);
    return candidate;
  }
  const Seat& seat = *found->second;
  if (!seat.hello)
    candidate.obstacle = fmt::format("agent on {} is not connected: {}", spec.id, seat.trouble);
  else if (drained_.contains(spec.id))
    candidate.obstacle = fmt::format("{} is drained: lathectl host resume {}", spec.id, spec.id);
  else if (!seat.refusal.empty())
    candidate.obstacle = seat.refusal;
  else
    candidate.obstacle = reservation_against(experiment, users_.at(experiment), spec.id);
  candidate.running = seat.slots.running();
  candidate.share = seat.slots.available(experiment);
  candidate.gpus = gpus_of(seat);
  if (!seat.report)
    candidate.gpu_trouble = fmt::format("{} has not told of its GPUs yet", spec.id);
  else if (!seat.report->gpu_error.empty())
    candidate.gpu_trouble = fmt::format("{} cannot look at its GPUs: {}", spec.id, seat.report->gpu_error);
  return candidate;
}

/// GPUs with their other users and with our trials. A process that belongs to a trial of ours is no other user.
std::vector<GpuView> Fleet::gpus_of(const Seat& seat) const {
  std::vector<GpuView> views;
  if (!seat.report) return views;
  for (const proto::Gpu& gpu : seat.report->gpus) {
    GpuView view{gpu.index, {}, 0};
    for (const proto::GpuProcess& process : gpu.processes) {
      if (!process.trial_id.empty()) continue;
      view.busy = fmt::format("pid {}{}{}", process.pid, process.name.empty() ? "" : " (" + process.name + ")",
                              process.user.empty() ? "" : " of " + process.user);
      break;
    }
    for (const auto& [experiment, user] : users_) {
      const auto holding = user.holdings.find(seat.id());
      if (holding == user.holdings.end()) continue;
      view.trials += std::count(holding->second.gpus.begin(), holding->second.gpus.end(), gpu.index);
    }
    views.push_back(std::move(view));
  }
  return views;
}

/// A demand for many GPUs that has waited long enough keeps the host that comes nearest to it from smaller ones.
std::string Fleet::reservation_against(const std::string& experiment, const User& user, const std::string& host) const {
  if (user.gpus.value_or(0) == 0) return {};
  const auto now = Clock::now();
  for (const auto& [id, other] : users_) {
    if (id == experiment || !other.blocked_since || now - *other.blocked_since < options_.patience) continue;
    if (other.gpus.value_or(0) <= user.gpus.value_or(0)) continue;
    std::vector<Candidate> candidates;
    for (const HostSpec& spec : other.specs) {
      const auto seat = seats_.find(spec.id);
      if (seat == seats_.end() || !seat->second->hello || drained_.contains(spec.id)) continue;
      candidates.push_back({spec, {}, 0, 1, gpus_of(*seat->second), {}});
    }
    if (nearest_host(*other.gpus, candidates) == host) {
      return fmt::format("{} is being emptied for experiment {}, whose trials need {} GPUs", host, id, *other.gpus);
    }
  }
  return {};
}

void Fleet::claim(const std::string& experiment, Holdings holdings, std::int64_t wanted) {
  const auto found = users_.find(experiment);
  if (found == users_.end()) return;
  User& user = found->second;
  bool freed = false;
  std::vector<std::string> changed;
  for (const HostSpec& spec : user.specs) {
    Seat& seat = *seats_.at(spec.id);
    const auto held = holdings.find(spec.id);
    const auto before = user.holdings.find(spec.id);
    const std::int64_t trials = held == holdings.end() ? 0 : held->second.trials;
    const bool gave_gpus = before != user.holdings.end() && !before->second.gpus.empty() &&
                           (held == holdings.end() || held->second.gpus.size() < before->second.gpus.size());
    const bool gave_slots = seat.slots.update(experiment, {trials, std::max(trials, wanted)});
    if (trials != (before == user.holdings.end() ? 0 : before->second.trials)) changed.push_back(spec.id);
    freed = freed || gave_gpus || (gave_slots && seat.slots.is_limited());
  }
  user.holdings = std::move(holdings);
  for (const std::string& host : changed) tell_changed(host);
  if (freed && users_.size() > 1 && listener_.room) listener_.room();
}

}  // namespace lathe::manager
