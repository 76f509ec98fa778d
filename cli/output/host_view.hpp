// Hosts as people read them.
#pragma once

#include <string>
#include <vector>

#include "json.hpp"
#include "output/style.hpp"
#include "output/table.hpp"

namespace lathe::cli {

/// `connected`, `drained` or `away`.
[[nodiscard]] std::string state_of_host(const Json& host);

[[nodiscard]] Table host_table(const std::vector<Json>& hosts);

/// Everything about one host, a line for each fact.
[[nodiscard]] std::string describe_host(const Json& host, const Palette& palette);

/// The steps of a test, a line each.
[[nodiscard]] std::string describe_host_test(const Json& test, const Palette& palette);

}  // namespace lathe::cli
