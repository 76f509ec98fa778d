#include "pai/pai_end.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "pai/pai_claim.hpp"

namespace lathe::agent {
namespace {

constexpr int signal_base = 128;  ///< a shell adds it to a signal's number
constexpr int last_signal = 64;
constexpr int largest_status = 255;
constexpr int not_found_status = 127;

JobEnd failed_end(std::string why, std::optional<int> exit_code = {}) {
  JobEnd end;
  const bool is_of_a_shell = exit_code && *exit_code >= 0 && *exit_code <= largest_status;
  if (is_of_a_shell) end = pai_end_of_status(*exit_code);
  end.error = std::move(why);
  return end;
}

}  // namespace

JobEnd pai_end_of_status(int exit_status) {
  JobEnd end;
  if (exit_status > signal_base && exit_status <= signal_base + last_signal) {
    end.signal = exit_status - signal_base;
  } else {
    end.exit_code = exit_status;
  }
  return end;
}

/// The cluster's own failures may be another's next time; the user's, and too small a container, would be again.
JobEnd pai_end_of(const PaiDetail& detail, std::optional<int> asked_signal) {
  const PaiRow& row = detail.row;
  const std::string reason = detail.reason.empty() ? "" : ": " + detail.reason;
  if (asked_signal) {
    JobEnd end;
    end.signal = asked_signal;
    return end;
  }
  if (row.state == "STOPPED") return failed_end(fmt::format("stopped in PAI by somebody else (job {})", row.name));
  if (row.state == "SUCCEEDED") {
    return failed_end(
        fmt::format("job {} has succeeded in PAI, but has left no exit status in the trial's folder: is "
                    "that folder on the storage that the containers see?",
                    row.name));
  }
  if (row.exit_code == pai_readonly_status) {
    return failed_end(fmt::format("the container of job {} cannot write into the trial's folder", row.name),
                      row.exit_code);
  }
  if (row.exit_code == not_found_status) {
    return failed_end(fmt::format("the container of job {} does not find the trial's script, or has no bash: is the "
                                  "storage mounted at containerStorageMountPoint?",
                                  row.name),
                      row.exit_code);
  }
  const bool is_of_pai = row.exit_code.value_or(-1) < 0 && !detail.exit_type.starts_with("USER_") &&
                         !detail.exit_type.starts_with("RESOURCE_");
  if (detail.exit_type == "PLATFORM_FAILURE" || is_of_pai) {
    return pai_lost_end(fmt::format("PAI failed to run job {}{}", row.name, reason));
  }
  return failed_end(fmt::format("job {} failed in PAI before the trial ended{}", row.name, reason), row.exit_code);
}

JobEnd pai_lost_end(std::string why) {
  JobEnd end;
  end.error = std::move(why);
  end.lost = true;
  return end;
}

}  // namespace lathe::agent
