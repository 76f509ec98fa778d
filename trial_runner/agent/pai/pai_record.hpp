// What a next agent needs to find a trial's PAI job again; journalled as JSON.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "pai/pai_settings.hpp"

namespace lathe::agent {

struct PaiRecord {
  PaiAccess access;
  std::string name;           ///< of the job; empty: nothing was sent to PAI
  bool is_submitted = false;  ///< PAI is known to have it

  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// An error: it is damaged.
  [[nodiscard]] static proto::Result<PaiRecord> from_json(const nlohmann::ordered_json& json);
};

}  // namespace lathe::agent
