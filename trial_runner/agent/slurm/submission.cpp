#include "slurm/submission.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

constexpr int not_found = 127;  ///< of a shell
constexpr std::size_t longest_complaint = 400;

struct Symptom {
  std::string_view text;
  Refused::Why why;
};

/// What sbatch says when another try may succeed. Everything else is final. The uncertain ones come first: after them
/// sbatch may say something milder too.
constexpr std::array<Symptom, 14> symptoms{{
    {"Socket timed out", Refused::Why::Uncertain},
    {"Zero Bytes were transmitted", Refused::Why::Uncertain},
    {"Unable to receive message", Refused::Why::Uncertain},
    {"Unexpected message received", Refused::Why::Uncertain},
    {"Invalid job array specification", Refused::Why::NoArrays},
    {"Unable to contact slurm controller", Refused::Why::Busy},
    {"Communication connection failure", Refused::Why::Busy},
    {"Connection refused", Refused::Why::Busy},
    {"Slurm controller is in standby", Refused::Why::Busy},
    {"temporarily unable to accept job", Refused::Why::Busy},
    {"Resource temporarily unavailable", Refused::Why::Busy},
    {"Munge", Refused::Why::Busy},
    {"MaxSubmitJob", Refused::Why::Busy},
    {"Unable to resolve", Refused::Why::Busy},
}};

bool is_job_id(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "123" or "123;cluster" on a line of its own; warnings may stand around it.
std::optional<Submitted> find_job(const std::string& output) {
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const auto semicolon = line.find(';');
    if (!is_job_id(std::string_view(line).substr(0, semicolon))) continue;
    return Submitted{line.substr(0, semicolon), semicolon == std::string::npos ? "" : line.substr(semicolon + 1)};
  }
  return std::nullopt;
}

std::string without_program(const std::string& line) {
  for (const std::string_view level : {": error: ", ": fatal: "}) {
    if (const auto at = line.find(level); at != std::string::npos) return line.substr(at + level.size());
  }
  return line;
}

}  // namespace

std::string percent_doubled(const std::filesystem::path& path) {
  std::string doubled;
  for (const char c : path.string()) doubled += c == '%' ? std::string("%%") : std::string(1, c);
  return doubled;
}

// The name comes before the directives, which may choose another; what the agent depends on comes behind them.
std::string submit_command(const Submission& submission) {
  std::string command = "exec sbatch --job-name=" + shell_quoted(submission.job_name);
  for (const std::string& directive : submission.directives) command += " " + shell_quoted(directive);
  const auto add = [&command](const std::string& option, const std::string& value) {
    command += " --" + option + "=" + shell_quoted(value);
  };
  command += " --parsable --no-requeue --open-mode=append";
  add("comment", submission.comment);
  add("chdir", submission.folder.string());
  add("output", submission.output.string());
  add("error", submission.error_output.string());
  if (submission.tasks > 0) add("array", fmt::format("0-{}", submission.tasks - 1));
  return command + " " + shell_quoted(submission.script.string()) + " " + shell_quoted(submission.token);
}

SubmitAnswer read_answer(const ProgramOutput& run) {
  if (run.exit_code == 0) {
    if (const auto job = find_job(run.output)) return *job;
    return Refused{Refused::Why::Final, "sbatch names no job: " + complaint(run)};
  }
  if (!run.exit_code) return Refused{Refused::Why::Uncertain, complaint(run)};
  if (*run.exit_code == not_found) return Refused{Refused::Why::Final, "sbatch is not on PATH: " + complaint(run)};
  for (const Symptom& symptom : symptoms) {
    if (run.output.find(symptom.text) != std::string::npos) return Refused{symptom.why, complaint(run)};
  }
  return Refused{Refused::Why::Final, complaint(run)};
}

std::string complaint(const ProgramOutput& run) {
  if (!run.exit_code) return run.error;
  std::string said;
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) said += (said.empty() ? "" : "; ") + without_program(line);
  }
  if (said.empty()) said = fmt::format("exit code {}", *run.exit_code);
  return to_valid_utf8(said.substr(0, longest_complaint));
}

}  // namespace lathe::agent
