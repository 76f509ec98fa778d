// What the sections of all training services have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <lathe/proto/training_service.hpp>

#include "problems.hpp"
#include "reader.hpp"
#include "value.hpp"

namespace lathe::proto {

/// Keys that NNI copies into a service and that belong to the top level.
void refuse_copies(const Fields& fields, Problems& problems);

/// NNI's keys that change nothing here.
void warn_of_ignored(const Fields& fields, Problems& problems);

/// Reads the first of the spellings that is there: NNI's v2, then v1.
[[nodiscard]] std::optional<Value> find_either(const Fields& fields, std::string_view name, std::string_view old_name);

/// One line, never repeated in a message.
[[nodiscard]] Secret read_secret(const std::optional<Value>& value, Problems& problems);

/// Settings that become one word of a batch script or a request.
void read_line(const Fields& fields, std::string_view key, std::string& target, Problems& problems);

}  // namespace lathe::proto
