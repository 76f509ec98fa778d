// What Slurm tells about jobs: the commands that ask, and their answers.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lathe::agent {

/// A job as squeue or sacct shows it.
struct JobRow {
  std::int64_t id = 0;  ///< 0: sacct does not tell
  std::string name;     ///< "123", or "123_4" for a task of an array
  std::string state;    ///< "RUNNING", "CANCELLED by 1000", …
  int status = 0;       ///< of the batch script, as wait() gives it; of use once the job has ended
  std::string reason;   ///< why it waits, or ended so; empty: none
  std::string comment;  ///< empty from sacct
  std::string nodes;    ///< empty: none yet
  std::string cluster;

  /// Its first word.
  [[nodiscard]] std::string_view base_state() const;
  /// It has ended for good. A state that is unknown here has not.
  [[nodiscard]] bool is_over() const;
  /// Its processes exist, or have existed and are being cleared away.
  [[nodiscard]] bool has_started() const;
};

/// Every job of the user that the controller knows, those that have ended a few minutes ago too, one row for each task
/// of an array. `cluster`: empty: that of this host.
[[nodiscard]] std::string listing_command(const std::string& cluster);
/// Lines that are no rows (headings, warnings) are passed over.
[[nodiscard]] std::vector<JobRow> parse_listing(std::string_view output);

/// The same jobs from the accounting database, which remembers them for longer and knows who cancelled them.
[[nodiscard]] std::string account_command(const std::string& cluster, const std::set<std::string>& names);
[[nodiscard]] std::vector<JobRow> parse_account(std::string_view output);

/// Rows to look up.
class JobListing {
 public:
  JobListing() = default;
  explicit JobListing(std::vector<JobRow> rows);

  [[nodiscard]] const std::vector<JobRow>& rows() const { return rows_; }
  /// For a task of an array that ended before it had begun, Slurm has only the row of the whole array ("123").
  [[nodiscard]] const JobRow* find(const std::string& name) const;
  /// A row of the submission with the comment.
  [[nodiscard]] const JobRow* find_comment(const std::string& comment) const;

 private:
  std::vector<JobRow> rows_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, std::size_t> by_comment_;
};

}  // namespace lathe::agent
