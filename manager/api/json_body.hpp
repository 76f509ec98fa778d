// Request bodies, parsed with every suspicion.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "experiment/service.hpp"

namespace lathe::manager {

/// JSON text → value. Nesting beyond 100 levels is an error: what is nested without limit is written by recursion.
[[nodiscard]] proto::Result<nlohmann::ordered_json> parse_json_body(std::string_view body);

/// Whether the text of a config can be read at all, as YAML or JSON; what it says may still be wrong.
[[nodiscard]] bool is_readable_config(std::string_view text);

/// The body of PATCH experiments/{id}.
[[nodiscard]] proto::Checked<ExperimentChange> parse_experiment_change(const nlohmann::ordered_json& json);

/// The body of POST experiments/{id}/trials: its `parameters`.
[[nodiscard]] proto::Checked<nlohmann::ordered_json> parse_new_trial(const nlohmann::ordered_json& json);

}  // namespace lathe::manager
