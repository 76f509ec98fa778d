// An experiment out of the database. Blocking; runs as a read.
#pragma once

#include <optional>
#include <string>

#include "experiment/state.hpp"
#include "storage/error.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

/// nullopt: there is none of that id. Refused: its config cannot be read back.
[[nodiscard]] StorageResult<std::optional<ExperimentState>> load_state(Connection& connection, const std::string& id);

/// Sets an experiment that cannot be loaded to ERROR, with its live trials cancelled.
void condemn(Connection& connection, const std::string& id, const std::string& why);

}  // namespace lathe::manager
