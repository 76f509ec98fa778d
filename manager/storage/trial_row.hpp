// The columns of a trial and how to read them; shared by the queries of `trials`.
#pragma once

#include <string>

#include "storage/rows.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

/// Every column that read_trial() takes, in its order.
[[nodiscard]] const std::string& trial_columns();

[[nodiscard]] TrialRow read_trial(const Statement& row);

}  // namespace lathe::manager
