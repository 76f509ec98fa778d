// Decides which channels go: all that every reader can do without, less those that a rule of shape holds back.
#pragma once

#include <cstdint>
#include <vector>

#include <lathe/compression/speedup.hpp>

#include "speedup/channel_trace.hpp"

namespace lathe::compression {

struct Decision {
  std::vector<char> going;         ///< by label; the same for all of a group
  std::vector<KeptChannels> left;  ///< masked, but something holds them; places in the order they were met
};

/// `round_to`: layers keep a multiple of so many filters, or all. Of masked channels of which some must stay, those
/// with the highest indices do.
[[nodiscard]] Decision solve(const ChannelTrace& trace, std::int64_t round_to);

}  // namespace lathe::compression
