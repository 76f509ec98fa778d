// Operators that cut a tensor into equal pieces, where unequal ones are wanted.
#pragma once

#include "speedup/channel_trace.hpp"

namespace lathe::compression {

/// Writes split_with_sizes in place of chunk and split wherever the pieces would lose unequally many channels, unless
/// that code runs more than once. Edits the methods that `flat` was made from; true: it has to be made anew.
[[nodiscard]] bool write_piece_sizes(const FlatGraph& flat, const ChannelTrace& trace);

}  // namespace lathe::compression
