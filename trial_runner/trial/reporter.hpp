// Reports metrics as NNI's trial protocol has it: frames appended to $NNI_SYS_DIR/.nni/metrics.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/trial_files.hpp>

#include "result.hpp"

namespace lathe::trial {

class Reporter {
 public:
  Reporter(std::filesystem::path system_directory, std::string trial_job_id, std::int64_t parameter_id)
      : file_(system_directory / ".nni" / "metrics"),
        trial_job_id_(std::move(trial_job_id)),
        parameter_id_(parameter_id) {}

  /// One number or dict on the way; numbered from 0.
  [[nodiscard]] Result<void> intermediate(nlohmann::ordered_json value);
  /// The result of the trial.
  [[nodiscard]] Result<void> final(nlohmann::ordered_json value);

 private:
  [[nodiscard]] Result<void> report(proto::MetricType type, std::int64_t sequence, nlohmann::ordered_json value) const;

  std::filesystem::path file_;
  std::string trial_job_id_;
  std::int64_t parameter_id_;
  std::int64_t next_sequence_ = 0;
};

}  // namespace lathe::trial
