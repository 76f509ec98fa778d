// What PAI's REST server says, and what it means.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "pai/http_request.hpp"
#include "pai/pai_settings.hpp"

namespace lathe::agent {

/// A job in PAI's list.
struct PaiRow {
  std::string name;
  std::string state;      ///< WAITING, RUNNING, STOPPING, STOPPED, SUCCEEDED, FAILED, UNKNOWN
  std::string sub_state;  ///< of PAI's framework controller: AttemptPreparing, …
  std::string virtual_cluster;
  std::optional<int> exit_code;

  /// It has ended for good. A state that is unknown here has not.
  [[nodiscard]] bool is_over() const { return state == "STOPPED" || state == "SUCCEEDED" || state == "FAILED"; }
};

/// Jobs by name. Nullopt: the text is no list of jobs. What is no job in it is passed over.
using PaiListing = std::map<std::string, PaiRow>;
[[nodiscard]] std::optional<PaiListing> parse_pai_listing(std::string_view body);

/// What is known of a job that has ended.
struct PaiDetail {
  PaiRow row;
  std::string exit_type;  ///< USER_FAILURE, PLATFORM_FAILURE, …; empty: not told
  std::string reason;     ///< one line; empty: none
};
[[nodiscard]] std::optional<PaiDetail> parse_pai_detail(std::string_view body);

/// "uses 8 of 8 GPUs, 60 of 64 CPUs", from the answer about a virtual cluster; empty: it does not tell.
[[nodiscard]] std::string parse_cluster_use(std::string_view body);

/// What an answer that is no success means for who asked.
struct PaiRefusal {
  std::string message;    ///< one line, for people
  std::string code;       ///< PAI's own word: NoJobError, …; empty: none
  bool may_pass = false;  ///< another try may succeed: PAI cannot be reached, is busy, or wants another token
  bool is_unknown_job = false;
  bool is_taken_name = false;  ///< a job of that name is there
};
[[nodiscard]] PaiRefusal refusal_of(const HttpAnswer& answer, const PaiAccess& access);

}  // namespace lathe::agent
