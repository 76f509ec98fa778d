#include "reporter.hpp"

#include <fstream>

#include <fmt/format.h>

namespace lathe::trial {

using Json = nlohmann::ordered_json;

Result<void> Reporter::intermediate(Json value) {
  return report(proto::MetricType::Periodical, next_sequence_++, std::move(value));
}

Result<void> Reporter::final(Json value) {
  return report(proto::MetricType::Final, 0, std::move(value));
}

Result<void> Reporter::report(proto::MetricType type, std::int64_t sequence, Json value) const {
  const auto frame = proto::encode_metric_frame({parameter_id_, trial_job_id_, type, sequence, std::move(value)});
  if (!frame) return fail_in(file_.string(), frame.error());
  std::error_code status;
  std::filesystem::create_directories(file_.parent_path(), status);
  std::ofstream stream(file_, std::ios::binary | std::ios::app);
  stream << *frame << std::flush;
  if (!stream) return fail(fmt::format("{}: a metric cannot be written", file_.string()));
  return {};
}

}  // namespace lathe::trial
