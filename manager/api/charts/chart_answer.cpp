#include "api/charts/chart_answer.hpp"

#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "api/service_problem.hpp"
#include "api/trial_tables.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

constexpr double largest_whole = 9007199254740992.0;  // 2^53

}  // namespace

HandlerResult answer_from_table(const HttpRequest& request, const ApiContext& context, Chart chart, std::string more) {
  const std::string id = request.path_value("id");
  auto record = co_await context.service.show(id);
  if (!record) co_return service_problem(record.error(), request);
  const auto facts = std::make_shared<const ExperimentFacts>(std::move(*record));
  auto work = [chart = std::move(chart), facts](const TrialTable& table) {
    const auto json = chart(table, *facts);
    return json ? json_response(*json) : bad_request(json.error());
  };
  auto response = co_await context.tables->ask(id, question_key(request, *facts) + more, std::move(work));
  if (!response) co_return service_problem(response.error(), request);
  co_return std::move(*response);
}

std::string question_key(const HttpRequest& request, const ExperimentFacts& facts) {
  std::string key = fmt::format("{} {:x}", request.path, facts.fingerprint());
  for (const auto& [name, value] : request.query)
    key += fmt::format(" {}:{}={}:{}", name.size(), name, value.size(), value);
  return key;
}

ordered_json json_number(double number) {
  if (!std::isfinite(number)) return nullptr;
  if (std::floor(number) == number && std::abs(number) < largest_whole) return static_cast<std::int64_t>(number);
  return number;
}

ordered_json json_value(const Column& column, std::size_t row) {
  if (!column.has(row)) return nullptr;
  if (column.is_text()) return column.texts().text(column.code(row));
  if (column.type() == ColumnType::Boolean) return column.number(row) != 0;
  return json_number(column.number(row));
}

proto::Result<const Column*> find_column(const TrialTable& table, const std::string& name, std::string_view parameter) {
  const Column* column = table.find(name);
  const bool may_come = name.starts_with("parameter.") || name.starts_with("metric.");
  if (column != nullptr || may_come) return column;
  return proto::fail(fmt::format("there is no column '{}', expected a trial's own (such as status), parameter.NAME or "
                                 "metric.NAME",
                                 name.substr(0, 100)),
                     std::string(parameter));
}

proto::Result<const Column*> find_numbers(const TrialTable& table, const std::string& name,
                                          std::string_view parameter) {
  auto column = find_column(table, name, parameter);
  if (!column || *column == nullptr || !(*column)->is_text()) return column;
  return proto::fail(fmt::format("{} holds texts, expected a column of numbers", name.substr(0, 100)),
                     std::string(parameter));
}

}  // namespace lathe::manager
