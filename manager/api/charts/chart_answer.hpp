// How a chart's handler answers: on the pool, from the experiment's table.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "analysis/trial_table.hpp"
#include "api/charts/experiment_facts.hpp"
#include "api/handlers.hpp"

namespace lathe::manager {

/// No answer is larger, however many trials there are.
inline constexpr std::size_t answer_bytes = 1'000'000;

/// Makes the answer; an error is a 400 that names the query parameter.
using Chart = std::function<proto::Result<nlohmann::ordered_json>(const TrialTable&, const ExperimentFacts&)>;

/// Answers with `chart`, or with what it answered to the same request since the experiment's trials last changed. The
/// chart runs on the pool: it must own what it needs. `more` names what the answer depends on besides request and
/// table.
[[nodiscard]] HandlerResult answer_from_table(const HttpRequest& request, const ApiContext& context, Chart chart,
                                              std::string more = {});

/// Names the question that a request asks of an experiment like this.
[[nodiscard]] std::string question_key(const HttpRequest& request, const ExperimentFacts& facts);

/// Whole numbers without a fraction; what is not finite is null.
[[nodiscard]] nlohmann::ordered_json json_number(double number);
/// The value of a row; null where it is missing.
[[nodiscard]] nlohmann::ordered_json json_value(const Column& column, std::size_t row);

/// The column of that name; null for a parameter or metric that no trial has. Error: there is no such column of a
/// trial.
[[nodiscard]] proto::Result<const Column*> find_column(const TrialTable& table, const std::string& name,
                                                       std::string_view parameter);
/// As find_column, but a column of texts is an error, too.
[[nodiscard]] proto::Result<const Column*> find_numbers(const TrialTable& table, const std::string& name,
                                                        std::string_view parameter);

}  // namespace lathe::manager
