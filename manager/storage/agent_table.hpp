// How far each experiment has come with the events of an agent. Functions throw SqliteError.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/sqlite.hpp"

namespace lathe::manager {

/// Sequence number of the last event that is part of the experiment, by the agent's state_id.
using AgentProgress = std::map<std::string, std::uint64_t>;

/// Stored in the same transaction as what the event changed, so that a repeated event is recognised.
void store_progress(Connection& connection, const std::string& experiment_id, const std::string& state_id,
                    std::uint64_t sequence);

[[nodiscard]] AgentProgress find_progress(Connection& connection, const std::string& experiment_id);

}  // namespace lathe::manager
