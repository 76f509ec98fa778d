#include "storage/experiment_table.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "storage/cursor.hpp"
#include "storage/json_text.hpp"

namespace lathe::manager {

namespace {

const std::string kColumns =
    "number, id, name, status, config, created_ms, start_ms, end_ms, run_ms, next_sequence, preparation, "
    "preparation_attempt, preparation_losses, preparation_agent, baseline, error, warnings, best_trial, best_metric, "
    "directory, preparation_host";

nlohmann::ordered_json to_json_array(const std::vector<std::string>& texts) {
  auto array = nlohmann::ordered_json::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

std::vector<std::string> texts_from(const nlohmann::ordered_json& json) {
  std::vector<std::string> texts;
  if (!json.is_array()) return texts;
  for (const auto& item : json) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

PreparationState preparation_from(std::int64_t number) {
  return number < 0 || number > static_cast<std::int64_t>(PreparationState::Failed)
             ? PreparationState::None
             : static_cast<PreparationState>(number);
}

ExperimentRow read_row(const Statement& row) {
  ExperimentRow result;
  ExperimentRecord& record = result.record;
  int column = 1;
  record.id = row.text(column++);
  record.name = row.text(column++);
  record.status = proto::experiment_status_from(row.text(column++)).value_or(proto::ExperimentStatus::Error);
  record.config = json_from(row.text(column++));
  record.created_ms = row.integer(column++);
  record.start_ms = row.optional_integer(column++);
  record.end_ms = row.optional_integer(column++);
  record.run_ms = row.integer(column++);
  record.next_sequence = row.integer(column++);
  record.preparation = preparation_from(row.integer(column++));
  result.preparation_attempt = row.integer(column++);
  result.preparation_losses = row.integer(column++);
  result.preparation_agent = row.text(column++);
  record.baseline = json_from(row.text(column++));
  record.error = row.text(column++);
  record.warnings = texts_from(json_from(row.text(column++)));
  if (!row.is_null(column)) record.best_trial = row.text(column);
  ++column;
  record.best_metric = row.optional_real(column++);
  record.directory = row.text(column++);
  result.preparation_host = row.text(column);
  return result;
}

/// How rows come, and those that come after the row whose number is bound to each `?`.
struct SortText {
  std::string_view order;
  std::string_view after;
};

SortText sort_text(ExperimentSort sort) {
  switch (sort) {
    case ExperimentSort::Newest:
      return {"number DESC", "number < ?1"};
    case ExperimentSort::Oldest:
      return {"number", "number > ?1"};
    case ExperimentSort::Name:
      return {"lower(name), number DESC",
              "(lower(name), -number) > (SELECT lower(name), -number FROM experiments WHERE number = ?1)"};
    case ExperimentSort::Status:
      return {"status, number DESC", "(status, -number) > (SELECT status, -number FROM experiments WHERE number = ?1)"};
  }
  return {"number DESC", "number < ?1"};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

bool runs_on(const ExperimentRecord& record, const std::string& platform) {
  const auto services = record.config.find("trainingService");
  if (services == record.config.end()) return false;
  const auto is_meant = [&](const nlohmann::ordered_json& service) {
    return service.is_object() && service.value("platform", std::string()) == platform;
  };
  return services->is_array() ? std::any_of(services->begin(), services->end(), is_meant) : is_meant(*services);
}

bool is_meant(const ExperimentRecord& record, const ExperimentQuery& query) {
  const auto& wanted = query.statuses;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), record.status) == wanted.end()) return false;
  if (!query.platform.empty() && !(record.config.is_object() && runs_on(record, query.platform))) return false;
  const std::string part = lower_case(query.search);
  return lower_case(record.name).find(part) != std::string::npos ||
         lower_case(record.id).find(part) != std::string::npos;
}

TrialCounts read_counts(Connection& connection, const std::string& id) {
  TrialCounts counts{};
  Statement statement = connection.prepare("SELECT status, trials FROM trial_counts WHERE experiment_id = ?");
  statement.bind(id);
  while (statement.step()) {
    const auto status = proto::trial_status_from(statement.text(0)).value_or(proto::TrialStatus::Unknown);
    counts[static_cast<std::size_t>(status)] += statement.integer(1);
  }
  return counts;
}

}  // namespace

void insert_experiment(Connection& connection, const ExperimentRow& row) {
  const ExperimentRecord& record = row.record;
  Statement statement =
      connection.prepare("INSERT INTO experiments (" + kColumns +
                         ") VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bind(record.id).bind(record.name).bind(proto::to_string(record.status)).bind(json_text(record.config));
  statement.bind(record.created_ms).bind(record.start_ms).bind(record.end_ms).bind(record.run_ms);
  statement.bind(record.next_sequence).bind(static_cast<std::int64_t>(record.preparation));
  statement.bind(row.preparation_attempt).bind(row.preparation_losses).bind(row.preparation_agent);
  statement.bind(json_text(record.baseline)).bind(record.error).bind(json_text(to_json_array(record.warnings)));
  statement.bind(record.best_trial).bind(record.best_metric).bind(record.directory).bind(row.preparation_host).step();
}

void update_experiment(Connection& connection, const ExperimentRow& row) {
  const ExperimentRecord& record = row.record;
  Statement statement = connection.prepare(
      "UPDATE experiments SET status = ?, start_ms = ?, end_ms = ?, run_ms = ?, next_sequence = ?, preparation = ?, "
      "preparation_attempt = ?, preparation_losses = ?, preparation_agent = ?, baseline = ?, error = ?, warnings = ?, "
      "best_trial = ?, best_metric = ?, preparation_host = ? WHERE id = ?");
  statement.bind(proto::to_string(record.status)).bind(record.start_ms).bind(record.end_ms).bind(record.run_ms);
  statement.bind(record.next_sequence).bind(static_cast<std::int64_t>(record.preparation));
  statement.bind(row.preparation_attempt).bind(row.preparation_losses).bind(row.preparation_agent);
  statement.bind(json_text(record.baseline)).bind(record.error).bind(json_text(to_json_array(record.warnings)));
  statement.bind(record.best_trial).bind(record.best_metric).bind(row.preparation_host).bind(record.id).step();
  if (record.config.is_null()) return;
  Statement config = connection.prepare("UPDATE experiments SET config = ?, name = ? WHERE id = ?");
  config.bind(json_text(record.config)).bind(record.name).bind(record.id).step();
}

void delete_experiment(Connection& connection, const std::string& id) {
  connection.prepare("DELETE FROM experiments WHERE id = ?").bind(id).step();
}

std::optional<ExperimentRow> find_experiment(Connection& connection, const std::string& id) {
  Statement statement = connection.prepare("SELECT " + kColumns + " FROM experiments WHERE id = ?");
  statement.bind(id);
  if (!statement.step()) return std::nullopt;
  ExperimentRow row = read_row(statement);
  row.record.counts = read_counts(connection, id);
  return row;
}

bool has_experiment(Connection& connection, const std::string& id) {
  return connection.prepare("SELECT 1 FROM experiments WHERE id = ?").bind(id).step();
}

std::vector<std::string> experiments_in(Connection& connection, const std::vector<proto::ExperimentStatus>& statuses) {
  Statement statement = connection.prepare("SELECT id, status FROM experiments ORDER BY number");
  std::vector<std::string> ids;
  while (statement.step()) {
    const auto status = proto::experiment_status_from(statement.text(1));
    if (status && std::find(statuses.begin(), statuses.end(), *status) != statuses.end())
      ids.push_back(statement.text(0));
  }
  return ids;
}

StorageResult<Page<ExperimentRecord>> page_of_experiments(Connection& connection, const ExperimentQuery& query) {
  const std::optional<std::int64_t> after = cursor_integer(query.cursor);
  if (!query.cursor.empty() && !after) return bad_cursor(query.cursor);
  const SortText sort = sort_text(query.sort);
  const std::string where = after ? fmt::format(" WHERE {}", sort.after) : std::string();
  Statement statement =
      connection.prepare(fmt::format("SELECT {} FROM experiments{} ORDER BY {}", kColumns, where, sort.order));
  if (after) statement.bind(*after);
  Page<ExperimentRecord> page;
  std::int64_t last = 0;
  while (statement.step()) {
    ExperimentRecord record = read_row(statement).record;
    if (!is_meant(record, query)) continue;
    if (static_cast<std::int64_t>(page.items.size()) == query.limit) {
      page.next_cursor = std::to_string(last);
      break;
    }
    last = statement.integer(0);
    record.counts = read_counts(connection, record.id);
    page.items.push_back(std::move(record));
  }
  return page;
}

}  // namespace lathe::manager
