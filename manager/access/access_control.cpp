#include "access/access_control.hpp"

#include <ctime>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/problem.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
using boost::beast::http::verb;

/// A file that has changed so lately may change again without a later time stamp.
constexpr std::time_t kUnsettledSeconds = 2;

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode &&
         a.st_uid == b.st_uid && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

bool is_settled(const struct stat& status) {
  return std::time(nullptr) - status.st_ctim.tv_sec > kUnsettledSeconds;
}

std::string method_of(const HttpRequest& request) {
  const auto name = boost::beast::http::to_string(request.method);
  return {name.data(), name.size()};
}

bool is_read(verb method) {
  return method == verb::get || method == verb::head || method == verb::options;
}

HttpResponse unauthorized(std::string detail, std::string challenge) {
  HttpResponse response = problem_response(HttpStatus::unauthorized, std::move(detail));
  response.set("WWW-Authenticate", std::move(challenge));
  return response;
}

}  // namespace

std::string_view bearer_token(const HttpRequest& request) {
  if (request.headers.count("Authorization") != 1) return {};
  std::string_view value = request.header("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!boost::algorithm::istarts_with(value, scheme)) return {};
  value.remove_prefix(scheme.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

proto::Result<void> AccessControl::open() {
  if (auto made = file_.make_if_missing(); !made) return made;
  auto content = file_.read();
  if (!content) return tl::unexpected(content.error());
  if (content->tokens.empty())
    return proto::fail(
        fmt::format("{}: there is no token in it; make one with `lathed token add`", file_.path().string()));
  tokens_ = std::move(content->tokens);
  return {};
}

asio::awaitable<std::optional<HttpResponse>> AccessControl::admit(const HttpRequest& request) {
  if (!refresh()) {
    co_return problem_response(HttpStatus::service_unavailable,
                               "the daemon's token file cannot be used; its log tells more");
  }
  const std::string_view presented = bearer_token(request);
  if (presented.empty()) {
    co_return unauthorized("this needs a token: send `Authorization: Bearer TOKEN`; `lathed token add` makes one",
                           "Bearer realm=\"lathed\"");
  }
  const Token* token = find(presented);
  if (token == nullptr) co_return co_await refuse_token(request);
  if (token->role == Role::Admin || is_read(request.method)) co_return std::nullopt;
  spdlog::warn("{} {} from {}: refused, token {} is read-only", method_of(request), request.path,
               request.remote_address, token->name);
  co_return problem_response(
      HttpStatus::forbidden,
      fmt::format("token {} has the role read-only; {} needs the role admin", token->name, method_of(request)));
}

asio::awaitable<HttpResponse> AccessControl::refuse_token(const HttpRequest& request) {
  const auto verdict = failures_.count(request.remote_address, FailedAttempts::Clock::now());
  if (verdict.is_worth_a_line) {
    spdlog::warn("{} {} from {}: refused, the token is not known (attempt {})", method_of(request), request.path,
                 request.remote_address, verdict.count);
  }
  asio::steady_timer pause(co_await asio::this_coro::executor, verdict.delay);
  co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return unauthorized("this token is not known here", "Bearer realm=\"lathed\", error=\"invalid_token\"");
}

/// Every token is compared, so that time does not tell which came close.
const Token* AccessControl::find(std::string_view presented) const {
  const TokenHash hash = hash_token(presented);
  const Token* found = nullptr;
  for (const Token& token : tokens_) {
    if (is_equal(token.hash, hash)) found = &token;
  }
  return found;
}

bool AccessControl::is_current() const {
  struct stat now {};
  return status_ && ::lstat(file_.path().c_str(), &now) == 0 && is_same(*status_, now);
}

/// False when the file cannot be used: a token that was taken out must not live on because of a typing error.
bool AccessControl::refresh() {
  if (is_current()) return true;
  auto content = file_.read();
  const std::string trouble = content ? std::string() : content.error().to_string();
  if (trouble != trouble_ && !trouble.empty()) spdlog::error("no token is accepted: {}", trouble);
  if (trouble.empty() && !trouble_.empty()) spdlog::info("the token file can be used again");
  trouble_ = trouble;
  status_.reset();
  tokens_.clear();
  if (!content) return false;
  tokens_ = std::move(content->tokens);
  if (is_settled(content->status)) status_ = content->status;
  return true;
}

}  // namespace lathe::manager
