// The far end of `ssh HOST lathe-agent --state-dir DIR --attach`: joins standard input and output with the agent's
// socket.
#pragma once

#include <filesystem>

#include <lathe/proto/result.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

/// Connects to the agent that listens in the folder.
[[nodiscard]] proto::Result<Descriptor> connect_to_agent(const std::filesystem::path& state_dir);

/// Copies `input` to `socket` and `socket` to `output`, byte for byte. The end of `input` is handed on (the agent sees
/// the end of the stream, and may still answer); returns when the agent has closed its side, or an error of either
/// side.
[[nodiscard]] proto::Result<void> join_streams(int input, int output, int socket);

}  // namespace lathe::agent
