#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/proto/frames.hpp>

#include "api/blocking.hpp"
#include "api/handlers.hpp"
#include "api/log_stream.hpp"
#include "api/query.hpp"
#include "api/service_problem.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

/// The only names that ever become part of a path.
using proto::log_names;

struct Download {
  std::string_view name;
  std::string_view content_type;
};
constexpr std::array<Download, 7> downloads{{{"compressed.pt", "application/octet-stream"},
                                             {"compressed.onnx", "application/octet-stream"},
                                             {"int8.pt", "application/octet-stream"},
                                             {"model.pth", "application/octet-stream"},
                                             {"mask.pth", "application/octet-stream"},
                                             {"calibration.json", "application/json"},
                                             {"report.json", "application/json"}}};

HttpResponse not_found(std::string detail) {
  return problem_response(HttpStatus::not_found, std::move(detail));
}

/// Why a file that a trial may write is not there.
HttpResponse missing_file(const TrialRecord& trial, std::string_view name, const proto::Error& error) {
  if (error.field != "missing") return not_found(error.message);
  if (trial.status == proto::TrialStatus::Waiting)
    return not_found(fmt::format("trial {} has not started; it has no {} yet", trial.id, name));
  return not_found(fmt::format("trial {} has no {}", trial.id, name));
}

struct OpenedFile {
  proto::Result<std::shared_ptr<PlainFile>> file;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

OpenedFile open_file(const std::filesystem::path& root, const std::filesystem::path& path,
                     std::optional<std::int64_t> tail) {
  OpenedFile opened{PlainFile::open(root, path)};
  if (!opened.file) return opened;
  opened.end = (*opened.file)->size();
  opened.begin = tail ? std::min((*opened.file)->tail_offset(*tail), opened.end) : 0;
  return opened;
}

/// Until the trial ends, or only what it has written so far.
FollowedFile followed_log(const TrialRecord& trial, const std::string& name, std::optional<std::int64_t> tail,
                          bool is_once, const ApiContext& context) {
  FollowedFile followed;
  followed.is_once = is_once;
  followed.root = context.data_dir;
  followed.path = std::filesystem::path(trial.directory) / name;
  followed.tail = tail;
  followed.is_over = [&service = context.service, experiment = trial.experiment_id,
                      id = trial.id]() -> asio::awaitable<bool> {
    const auto now = co_await service.show_trial(experiment, id);
    co_return !now || proto::is_final(now->status);
  };
  followed.read_there = [&service = context.service, experiment = trial.experiment_id, id = trial.id, name, is_once](
                            std::optional<std::int64_t> attempt, std::uint64_t offset,
                            std::optional<std::int64_t> lines) -> asio::awaitable<LogPiece> {
    LogRequest wanted{experiment, id, name, attempt, offset, lines, !is_once};
    ServiceResult<LogPiece> piece = co_await service.read_log(std::move(wanted));
    if (!piece) {
      LogPiece nothing;
      nothing.where = LogPiece::Where::Unreachable;
      co_return nothing;
    }
    co_return std::move(*piece);
  };
  followed.subscribe = [&service = context.service, experiment = trial.experiment_id](std::shared_ptr<Waker> waker) {
    return service.events().subscribe([waker, experiment](const Event& event) {
      if (event.experiment_id == experiment && event.kind != "metric") waker->wake();
    });
  };
  return followed;
}

}  // namespace

HandlerResult show_trial_log(const HttpRequest& request, const ApiContext& context) {
  const std::string& name = request.path_value("log");
  if (std::find(log_names.begin(), log_names.end(), name) == log_names.end()) {
    co_return not_found(fmt::format("there is no such log; there are: {}", fmt::join(log_names, ", ")));
  }
  const auto query = parse_log_query(request.query);
  if (!query) co_return bad_request(query.error());
  const auto trial = co_await context.service.show_trial(request.path_value("id"), request.path_value("tid"));
  if (!trial) co_return service_problem(trial.error(), request);
  if (query->follow && !proto::is_final(trial->status)) {
    co_return follow_response(followed_log(*trial, name, query->tail, /*is_once=*/false, context), context.pool);
  }
  LogRequest probe{trial->experiment_id, trial->id, name, {}, 0, 0, false};
  const auto piece = co_await context.service.read_log(std::move(probe));
  if (!piece) co_return service_problem(piece.error(), request);
  if (piece->where == LogPiece::Where::Unreachable)
    co_return problem_response(HttpStatus::service_unavailable, fmt::format("the text is there alone: {}", piece->why));
  if (piece->where == LogPiece::Where::There) {
    co_return follow_response(followed_log(*trial, name, query->tail, /*is_once=*/true, context), context.pool);
  }
  const auto open = [root = context.data_dir, path = std::filesystem::path(trial->directory) / name,
                     tail = query->tail] { return open_file(root, path, tail); };
  const OpenedFile opened = co_await run_blocking(context.pool, open);
  if (!opened.file) co_return missing_file(*trial, name, opened.file.error());
  co_return file_response(*opened.file, opened.begin, opened.end, "text/plain; charset=utf-8", context.pool);
}

HandlerResult download_trial_file(const HttpRequest& request, const ApiContext& context) {
  const std::string& name = request.path_value("name");
  const auto found =
      std::find_if(downloads.begin(), downloads.end(), [&](const Download& file) { return file.name == name; });
  if (found == downloads.end()) {
    std::vector<std::string_view> names;
    for (const Download& file : downloads) names.push_back(file.name);
    co_return not_found(fmt::format("there is no such file; there are: {}", fmt::join(names, ", ")));
  }
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto trial = co_await context.service.show_trial(request.path_value("id"), request.path_value("tid"));
  if (!trial) co_return service_problem(trial.error(), request);
  const auto open = [root = context.data_dir, path = std::filesystem::path(trial->directory) / name] {
    return open_file(root, path, std::nullopt);
  };
  const OpenedFile opened = co_await run_blocking(context.pool, open);
  if (!opened.file) co_return missing_file(*trial, name, opened.file.error());
  HttpResponse response =
      file_response(*opened.file, opened.begin, opened.end, std::string(found->content_type), context.pool);
  response.set("Content-Disposition", fmt::format("attachment; filename=\"{}-{}\"", trial->id, name));
  co_return response;
}

HandlerResult show_baseline(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto record = co_await context.service.show(request.path_value("id"));
  if (!record) co_return service_problem(record.error(), request);
  const auto open = [root = context.data_dir, folder = std::filesystem::path(record->directory)] {
    return open_file(root, folder / "baseline" / "baseline.json", std::nullopt);
  };
  const OpenedFile opened = co_await run_blocking(context.pool, open);
  if (!opened.file) co_return not_found("the original model of the experiment has not been measured");
  co_return file_response(*opened.file, opened.begin, opened.end, "application/json", context.pool);
}

}  // namespace lathe::manager
