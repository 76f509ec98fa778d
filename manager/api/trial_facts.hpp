// Trials on their way into a table.
#pragma once

#include <string_view>

#include "analysis/trial_table.hpp"
#include "storage/records.hpp"

namespace lathe::manager {

/// Refers to the record.
[[nodiscard]] TrialFacts facts_of(const TrialRecord& record);

/// Puts the trial of an event into the table; `data` is its REST form. Anything else is left alone.
void put_event(TrialTable& table, std::string_view data);

}  // namespace lathe::manager
