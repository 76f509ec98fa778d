// The tables, and how a database of an older version becomes one of this version.
#pragma once

#include <span>
#include <string_view>

#include <lathe/proto/result.hpp>

#include "storage/sqlite.hpp"

namespace lathe::manager {

/// Step i brings a database from version i to version i + 1. Steps are never changed once released; new ones are
/// appended.
[[nodiscard]] std::span<const std::string_view> migrations();

/// Brings the database to the newest version in one transaction and checks that it is sound (PRAGMA user_version holds
/// the version, application_id tells it from other programs' databases). Refused: a database of a newer version, of
/// another program, or a damaged one.
[[nodiscard]] proto::Result<void> migrate(Connection& connection,
                                          std::span<const std::string_view> steps = migrations());

}  // namespace lathe::manager
