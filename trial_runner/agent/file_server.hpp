// The far end of file_stream.hpp: keeps what lathed sends in a content-addressed store, lays it out for trials, and
// gives back what trials leave. A process of its own (`lathe-agent --files`), so that no transfer delays an event.
#pragma once

#include <filesystem>

#include <lathe/proto/file_stream.hpp>
#include <lathe/proto/result.hpp>

namespace lathe::agent {

/// Serves until the stream ends between two messages. Nothing outside `root` is written or read, whatever is asked.
/// An error: the stream broke, or something was said that is not in the protocol.
[[nodiscard]] proto::Result<void> serve_files(const std::filesystem::path& root, proto::FileStream& stream);

}  // namespace lathe::agent
