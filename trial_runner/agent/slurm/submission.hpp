// One sbatch: the command, and what its answer means.
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "program_run.hpp"

namespace lathe::agent {

/// What is submitted at once: a trial, or several as an array.
struct Submission {
  std::vector<std::string> directives;
  std::string job_name;
  std::string comment;
  std::filesystem::path folder;  ///< where the job begins; of the first trial
  std::filesystem::path output;  ///< may hold %a, the number of a task; a percent sign that is meant as such is doubled
  std::filesystem::path error_output;
  std::size_t tasks = 0;  ///< 0: no array
  std::filesystem::path script;
  std::string token;  ///< argument of the script
};

[[nodiscard]] std::string submit_command(const Submission& submission);

/// As sbatch wants a path in --output: with every percent sign doubled.
[[nodiscard]] std::string percent_doubled(const std::filesystem::path& path);

struct Submitted {
  std::string job;      ///< "123"
  std::string cluster;  ///< empty: that of this host
};
struct Refused {
  enum class Why {
    Final,      ///< it would be refused again
    Busy,       ///< the controller cannot be reached, or a limit of jobs is reached: later it may be taken
    Uncertain,  ///< it may have been taken: the controller has not answered
    NoArrays,   ///< it would be taken one by one
  };
  Why why = Why::Final;
  std::string message;  ///< one line
};
using SubmitAnswer = std::variant<Submitted, Refused>;

[[nodiscard]] SubmitAnswer read_answer(const ProgramOutput& run);

/// What a command of Slurm has complained about, as one line without its name, or why it said nothing.
[[nodiscard]] std::string complaint(const ProgramOutput& run);

}  // namespace lathe::agent
