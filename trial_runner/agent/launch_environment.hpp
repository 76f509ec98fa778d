// The environment that a process is started with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lathe::agent {

/// What is wrong with these variables; nullopt: nothing.
[[nodiscard]] std::optional<std::string> environment_problem(const std::map<std::string, std::string>& environment);

/// Our own environment, with these variables instead of ours of the same names; NAME=value each.
[[nodiscard]] std::vector<std::string> merged_environment(const std::map<std::string, std::string>& additions);

}  // namespace lathe::agent
