// Pages of records as answers.
#pragma once

#include "experiment/service.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// {"items": […], "nextCursor": …}; no nextCursor on the last page.
template <class Record>
[[nodiscard]] HttpResponse page_response(const Page<Record>& page) {
  nlohmann::ordered_json json{{"items", nlohmann::ordered_json::array()}};
  for (const Record& record : page.items) json["items"].push_back(to_json(record));
  if (!page.next_cursor.empty()) json["nextCursor"] = page.next_cursor;
  return json_response(json);
}

}  // namespace lathe::manager
