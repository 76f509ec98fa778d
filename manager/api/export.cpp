#include <functional>
#include <stdexcept>
#include <utility>

#include "api/export_table.hpp"
#include "api/handlers.hpp"
#include "api/query.hpp"
#include "api/service_problem.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

constexpr std::int64_t page_rows = 500;

/// Goes through the trials page by page, so that memory does not grow with the experiment.
class TrialPages {
 public:
  TrialPages(ExperimentService& service, std::string experiment_id) : service_(service) {
    query_.experiment_id = std::move(experiment_id);
    query_.limit = page_rows;
  }

  [[nodiscard]] bool is_at_end() const { return is_at_end_; }

  asio::awaitable<std::vector<TrialRecord>> next() {
    auto page = co_await service_.list_trials(query_);
    if (!page) throw std::runtime_error(proto::to_string(page.error().errors));
    query_.cursor = page->next_cursor;
    is_at_end_ = page->next_cursor.empty();
    co_return std::move(page->items);
  }

 private:
  ExperimentService& service_;
  TrialQuery query_;
  bool is_at_end_ = false;
};

asio::awaitable<void> write_json(ExperimentService& service, std::string experiment_id, BodyStream& out) {
  TrialPages pages(service, experiment_id);
  std::string separator = "[\n";
  while (!pages.is_at_end()) {
    std::string text;
    const std::vector<TrialRecord> trials = co_await pages.next();
    for (const TrialRecord& trial : trials) {
      text += separator + json_text(exported_trial(trial));
      separator = ",\n";
    }
    co_await out.write(text);
  }
  co_await out.write(separator == "[\n" ? "[]\n" : "\n]\n");
}

/// Goes through the trials twice, since the columns must be known before the first line.
asio::awaitable<void> write_csv(ExperimentService& service, std::string experiment_id, BodyStream& out) {
  ExportTable table;
  std::int64_t last_sequence = -1;
  TrialPages all(service, experiment_id);
  while (!all.is_at_end()) {
    const std::vector<TrialRecord> trials = co_await all.next();
    for (const TrialRecord& trial : trials) {
      table.add_columns_of(trial);
      last_sequence = trial.sequence;
    }
  }
  const std::string header = table.header_line();
  co_await out.write(header);
  TrialPages again(service, experiment_id);
  while (!again.is_at_end()) {
    std::string text;
    const std::vector<TrialRecord> trials = co_await again.next();
    for (const TrialRecord& trial : trials) {
      if (trial.sequence <= last_sequence) text += table.line(trial);
    }
    co_await out.write(text);
  }
}

}  // namespace

HandlerResult export_experiment(const HttpRequest& request, const ApiContext& context) {
  const auto format = parse_export_query(request.query);
  if (!format) co_return bad_request(format.error());
  const auto record = co_await context.service.show(request.path_value("id"));
  if (!record) co_return service_problem(record.error(), request);
  const bool is_csv = *format == ExportFormat::Csv;
  auto producer = [&service = context.service, id = record->id, is_csv](BodyStream& out) -> asio::awaitable<void> {
    if (is_csv) {
      co_await write_csv(service, id, out);
    } else {
      co_await write_json(service, id, out);
    }
  };
  HttpResponse response =
      stream_response(is_csv ? "text/csv; charset=utf-8; header=present" : "application/json", producer);
  if (is_csv) response.set("Content-Disposition", "attachment; filename=\"" + record->id + ".csv\"");
  co_return response;
}

}  // namespace lathe::manager
