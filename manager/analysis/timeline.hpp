// Who ran where and when: spans of time on hosts, laid out so that none of a lane overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lathe::manager {

/// The time that something took on a host. `end` is infinite for what goes on.
struct HostSpan {
  std::uint32_t host = 0;
  double start = 0;
  double end = 0;  ///< >= start
};

/// The place of each span on its host, from 0: the lowest that is free at its start. Spans are taken by their start,
/// equal ones by their place in the list. So a host has as many places as it ever ran things at once.
[[nodiscard]] std::vector<std::uint32_t> slots_of(const std::vector<HostSpan>& spans);

}  // namespace lathe::manager
