#include "hosts/placement.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

bool is_allowed(const proto::GpuPolicy& policy, std::int64_t index) {
  const auto& only = policy.gpu_indices;
  return !only || std::find(only->begin(), only->end(), index) != only->end();
}

bool is_free(const proto::GpuPolicy& policy, const GpuView& gpu) {
  return is_allowed(policy, gpu.index) && (gpu.busy.empty() || policy.use_active_gpu) &&
         gpu.trials < policy.max_trials_per_gpu;
}

std::string name_of(const Candidate& host) {
  return host.spec.kind == HostSpec::Kind::Local ? std::string("this machine") : host.spec.id;
}

std::vector<std::int64_t> free_gpus(const Candidate& host) {
  std::vector<GpuView> free;
  std::copy_if(host.gpus.begin(), host.gpus.end(), std::back_inserter(free),
               [&host](const GpuView& gpu) { return is_free(host.spec.gpus, gpu); });
  std::sort(free.begin(), free.end(), [](const GpuView& a, const GpuView& b) {
    return std::tie(a.trials, a.index) < std::tie(b.trials, b.index);
  });
  std::vector<std::int64_t> indices;
  for (const GpuView& gpu : free) indices.push_back(gpu.index);
  return indices;
}

std::string why_not_free(const Candidate& host, const GpuView& gpu) {
  if (!is_allowed(host.spec.gpus, gpu.index)) return fmt::format("GPU {} is not in gpuIndices", gpu.index);
  if (!gpu.busy.empty() && !host.spec.gpus.use_active_gpu)
    return fmt::format("GPU {} is used by {}", gpu.index, gpu.busy);
  return gpu.trials == 1 ? fmt::format("GPU {} has a trial", gpu.index)
                         : fmt::format("GPU {} has {} trials", gpu.index, gpu.trials);
}

std::string why_no_gpus(const Candidate& host, std::int64_t gpus) {
  const auto present = static_cast<std::int64_t>(host.gpus.size());
  if (present < gpus && !host.gpu_trouble.empty()) return host.gpu_trouble;
  if (present < gpus) {
    return fmt::format("{} has {} GPU{}, trialGpuNumber asks for {}", name_of(host), present, present == 1 ? "" : "s",
                       gpus);
  }
  std::string why = fmt::format("{}: ", name_of(host));
  bool first = true;
  for (const GpuView& gpu : host.gpus) {
    if (is_free(host.spec.gpus, gpu)) continue;
    why += (first ? "" : ", ") + why_not_free(host, gpu);
    first = false;
  }
  return why;
}

bool needs_gpus(std::optional<std::int64_t> gpus, const Candidate& host) {
  return gpus.value_or(0) > 0 && host.spec.gives_gpus();
}

/// Empty: a trial can go there.
std::string why_not(std::optional<std::int64_t> gpus, const Candidate& host) {
  if (!host.obstacle.empty()) return host.obstacle;
  if (host.spec.slots && host.running >= *host.spec.slots) {
    return *host.spec.slots == 1 ? fmt::format("the one trial slot of {} is in use", name_of(host))
                                 : fmt::format("all {} trial slots of {} are in use", *host.spec.slots, name_of(host));
  }
  if (host.share <= 0) return fmt::format("all trial slots of {} are in use by other experiments", name_of(host));
  if (needs_gpus(gpus, host) && static_cast<std::int64_t>(free_gpus(host).size()) < *gpus)
    return why_no_gpus(host, *gpus);
  return {};
}

double load_of(const Candidate& host) {
  const double slots = host.spec.slots ? static_cast<double>(*host.spec.slots) : 1;
  return static_cast<double>(host.running) / slots;
}

Place take(std::optional<std::int64_t> gpus, Candidate& host) {
  Place place{host.spec.id, {}};
  if (needs_gpus(gpus, host)) {
    place.gpus = free_gpus(host);
    place.gpus.resize(static_cast<std::size_t>(*gpus));
    std::sort(place.gpus.begin(), place.gpus.end());
  }
  for (GpuView& gpu : host.gpus) {
    if (std::find(place.gpus.begin(), place.gpus.end(), gpu.index) != place.gpus.end()) ++gpu.trials;
  }
  ++host.running;
  --host.share;
  return place;
}

std::string joined(std::vector<std::string> reasons) {
  if (reasons.size() == 1) return reasons.front();
  constexpr std::size_t kMost = 8;
  std::string text = "no host has room";
  for (std::size_t i = 0; i < std::min(reasons.size(), kMost); ++i) text += (i == 0 ? ": " : "; ") + reasons[i];
  if (reasons.size() > kMost) text += fmt::format("; and {} more", reasons.size() - kMost);
  return text;
}

}  // namespace

Offer find_places(std::optional<std::int64_t> gpus, std::int64_t most, std::vector<Candidate> candidates) {
  Offer offer;
  while (static_cast<std::int64_t>(offer.places.size()) < most) {
    std::vector<std::string> reasons;
    Candidate* best = nullptr;
    for (Candidate& host : candidates) {
      if (std::string why = why_not(gpus, host); !why.empty()) {
        reasons.push_back(std::move(why));
      } else if (best == nullptr ||
                 std::tuple(host.spec.rank, load_of(host)) < std::tuple(best->spec.rank, load_of(*best))) {
        best = &host;
      }
    }
    if (best == nullptr) {
      offer.reason = joined(std::move(reasons));
      break;
    }
    offer.places.push_back(take(gpus, *best));
  }
  return offer;
}

std::optional<std::string> nearest_host(std::int64_t gpus, const std::vector<Candidate>& candidates) {
  std::optional<std::string> nearest;
  std::int64_t fewest_missing = 0;
  for (const Candidate& host : candidates) {
    if (!host.obstacle.empty() || !host.spec.gives_gpus()) continue;
    const auto could_be_free = std::count_if(host.gpus.begin(), host.gpus.end(), [&host](const GpuView& gpu) {
      return is_allowed(host.spec.gpus, gpu.index) && (gpu.busy.empty() || host.spec.gpus.use_active_gpu);
    });
    if (could_be_free < gpus) continue;
    const std::int64_t missing = gpus - static_cast<std::int64_t>(free_gpus(host).size());
    if (nearest && missing >= fewest_missing) continue;
    nearest = host.spec.id;
    fewest_missing = missing;
  }
  return nearest;
}

}  // namespace lathe::manager
