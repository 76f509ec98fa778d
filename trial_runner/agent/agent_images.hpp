// The builds of lathe-agent that daemons have put beside each other on a host: bin/lathe-agent-HASH.
#pragma once

#include <filesystem>

namespace lathe::agent {

/// Removes the builds beside `program` that no process runs and that nobody has started for a day: until then another
/// daemon may be about to. Of halves of files that never became whole likewise. Nothing happens where `program` itself
/// was not put by a daemon.
void remove_idle_images(const std::filesystem::path& program);

}  // namespace lathe::agent
