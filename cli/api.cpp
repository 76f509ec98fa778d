#include "api.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "problem.hpp"

namespace lathe::cli {
namespace {

constexpr std::int64_t largest_page = 1000;

Outcome<Json> parse_answer(const Response& response, const BaseUrl& url) {
  if (response.status >= 400) return tl::unexpected<Failure>(failure_of(response));
  if (response.status >= 300)
    return fail(fmt::format("{} answered {}: is this lathed?", url.to_string(), response.status));
  if (response.body.empty()) return Json();
  Json json = Json::parse(response.body, nullptr, false);
  if (json.is_discarded())
    return fail(fmt::format("{} answered something that is not JSON: is this lathed?", url.to_string()));
  return json;
}

}  // namespace

Outcome<Json> call(const HttpClient& client, std::string_view method, const std::string& target, const Json& body) {
  Request request{std::string(method), target, {}, {}, {}};
  if (!body.is_null()) {
    request.body = dump(body);
    request.content_type = "application/json";
  }
  auto response = client.send(request);
  if (!response) return pass_on(response);
  return parse_answer(*response, client.url());
}

Outcome<Json> get(const HttpClient& client, const std::string& target) {
  return call(client, "GET", target);
}

Json Listing::to_json() const {
  Json json = {{"items", items}};
  if (!next_cursor.empty()) json["nextCursor"] = next_cursor;
  return json;
}

Outcome<Listing> list(const HttpClient& client, const std::string& path, Query query, std::int64_t limit) {
  Listing all;
  do {
    const auto wanted = limit == 0 ? largest_page : limit - static_cast<std::int64_t>(all.items.size());
    Query page_query = query;
    page_query.emplace_back("limit", std::to_string(std::min(wanted, largest_page)));
    page_query.emplace_back("cursor", all.next_cursor);
    auto page = get(client, with_query(path, page_query));
    if (!page) return pass_on(page);
    for (const Json& item : member(*page, "items")) all.items.push_back(item);
    all.next_cursor = text_of(*page, "nextCursor");
  } while (!all.next_cursor.empty() && (limit == 0 || static_cast<std::int64_t>(all.items.size()) < limit));
  return all;
}

Outcome<Listing> list_experiments(const HttpClient& client) {
  return list(client, api_path({"experiments"}), {});
}

}  // namespace lathe::cli
