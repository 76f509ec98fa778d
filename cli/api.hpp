// The daemon's REST API as functions: JSON in and out, refusals as failures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/client.hpp"
#include "json.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// Sends a request with a JSON body (null: none) and parses the JSON that comes back (null for an empty answer).
[[nodiscard]] Outcome<Json> call(const HttpClient& client, std::string_view method, const std::string& target,
                                 const Json& body = nullptr);

[[nodiscard]] Outcome<Json> get(const HttpClient& client, const std::string& target);

/// The items of a list, following its cursors until there are no more or `limit` are there (0: all). What lies behind
/// the limit is told by `next_cursor`.
struct Listing {
  std::vector<Json> items;
  std::string next_cursor;

  /// The daemon's own form: {"items": […], "nextCursor": …}.
  [[nodiscard]] Json to_json() const;
};
[[nodiscard]] Outcome<Listing> list(const HttpClient& client, const std::string& path, Query query,
                                    std::int64_t limit = 0);

/// Every experiment, newest state.
[[nodiscard]] Outcome<Listing> list_experiments(const HttpClient& client);

}  // namespace lathe::cli
