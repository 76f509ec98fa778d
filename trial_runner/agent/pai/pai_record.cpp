#include "pai/pai_record.hpp"

#include <utility>

#include "pai/job_protocol.hpp"

namespace lathe::agent {

nlohmann::ordered_json PaiRecord::to_json() const {
  return {{"access", access.to_json()}, {"name", name}, {"submitted", is_submitted}};
}

proto::Result<PaiRecord> PaiRecord::from_json(const nlohmann::ordered_json& json) {
  const auto damaged = [] { return proto::fail("the journal of its PAI job is damaged"); };
  if (!json.is_object() || !json.contains("access") || !json.contains("name") || !json["name"].is_string()) {
    return damaged();
  }
  auto access = PaiAccess::from_json(json["access"]);
  if (!access) return damaged();
  PaiRecord record{std::move(*access), json["name"].get<std::string>(), false};
  if (!record.name.empty() && !is_pai_job_name(record.name)) return damaged();
  record.is_submitted = json.contains("submitted") && json["submitted"] == true;
  return record;
}

}  // namespace lathe::agent
