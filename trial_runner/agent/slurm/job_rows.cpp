#include "slurm/job_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "program_run.hpp"

namespace lathe::agent {
namespace {

constexpr std::array<std::string_view, 11> over{"BOOT_FAIL", "CANCELLED",    "COMPLETED",     "DEADLINE",
                                                "FAILED",    "NODE_FAIL",    "OUT_OF_MEMORY", "PREEMPTED",
                                                "REVOKED",   "SPECIAL_EXIT", "TIMEOUT"};
constexpr std::array<std::string_view, 6> started{"COMPLETING", "RESIZING",  "RUNNING",
                                                  "SIGNALING",  "STAGE_OUT", "SUSPENDED"};

template <std::size_t count>
bool contains(const std::array<std::string_view, count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text == "(null)" || text == "None" || text == "N/A" ? std::string() : std::string(text);
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<JobRow> listing_row(std::string_view line) {
  constexpr std::size_t columns = 8;
  const auto fields = split(line, '|');
  if (fields.size() < columns) return std::nullopt;
  const auto id = number<std::int64_t>(trimmed(fields[0]));
  const auto status = number<int>(trimmed(fields[3]));
  if (!id || !status) return std::nullopt;
  JobRow row{*id,
             trimmed(fields[1]),
             trimmed(fields[2]),
             *status,
             trimmed(fields[4]),
             trimmed(fields[5]),
             trimmed(fields[6]),
             trimmed(fields[7])};
  return row;
}

/// sacct writes "status:signal".
std::optional<JobRow> account_row(std::string_view line) {
  constexpr std::size_t columns = 4;
  const auto fields = split(line, '|');
  if (fields.size() < columns) return std::nullopt;
  const auto codes = split(fields[2], ':');
  const auto code = number<int>(codes.front());
  const auto signal = codes.size() > 1 ? number<int>(codes[1]) : std::optional(0);
  if (!code || !signal) return std::nullopt;
  JobRow row;
  row.name = trimmed(fields[0]);
  row.state = trimmed(fields[1]);
  row.status = (*code << 8) | *signal;
  row.nodes = trimmed(fields[3]);
  if (row.nodes == "None assigned") row.nodes.clear();
  return row;
}

template <class Parse>
std::vector<JobRow> parse(std::string_view output, Parse parse_row) {
  std::vector<JobRow> rows;
  for (const std::string_view line : split(output, '\n')) {
    if (auto row = parse_row(line)) rows.push_back(std::move(*row));
  }
  return rows;
}

std::string on_cluster(const std::string& cluster) {
  return cluster.empty() ? "" : " --clusters=" + shell_quoted(cluster);
}

}  // namespace

std::string_view JobRow::base_state() const {
  return std::string_view(state).substr(0, state.find(' '));
}

bool JobRow::is_over() const {
  return contains(over, base_state());
}

bool JobRow::has_started() const {
  return contains(started, base_state());
}

// The widths are those beyond which Slurm cuts off; '|' goes behind each.
std::string listing_command(const std::string& cluster) {
  return "exec squeue --me --states=all --array --noheader" + on_cluster(cluster) +
         " --Format='JobID:20|,JobArrayID:60|,State:24|,exit_code:20|,Reason:80|,Comment:120|,NodeList:120|,Cluster:"
         "60'";
}

std::vector<JobRow> parse_listing(std::string_view output) {
  return parse(output, listing_row);
}

std::string account_command(const std::string& cluster, const std::set<std::string>& names) {
  std::string jobs;
  for (const std::string& name : names) jobs += (jobs.empty() ? "" : ",") + name;
  return "exec sacct --noheader --parsable2 --allocations --array" + on_cluster(cluster) +
         " --format=JobID,State,ExitCode,NodeList --jobs=" + shell_quoted(jobs);
}

std::vector<JobRow> parse_account(std::string_view output) {
  return parse(output, account_row);
}

JobListing::JobListing(std::vector<JobRow> rows) : rows_(std::move(rows)) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    by_name_.emplace(rows_[i].name, i);
    if (!rows_[i].comment.empty()) by_comment_.emplace(rows_[i].comment, i);
  }
}

const JobRow* JobListing::find(const std::string& name) const {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return &rows_[found->second];
  const auto task = name.find('_');
  if (task == std::string::npos) return nullptr;
  const auto whole = by_name_.find(name.substr(0, task));
  return whole != by_name_.end() ? &rows_[whole->second] : nullptr;
}

const JobRow* JobListing::find_comment(const std::string& comment) const {
  const auto found = by_comment_.find(comment);
  return found != by_comment_.end() ? &rows_[found->second] : nullptr;
}

}  // namespace lathe::agent
