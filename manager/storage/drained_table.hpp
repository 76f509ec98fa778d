// Rows of `drained_hosts`: hosts on which nothing new is to be started. Functions throw SqliteError.
#pragma once

#include <set>
#include <string>

#include "storage/sqlite.hpp"

namespace lathe::manager {

void store_drained(Connection& connection, const std::string& host, bool drained);

[[nodiscard]] std::set<std::string> drained_hosts(Connection& connection);

}  // namespace lathe::manager
