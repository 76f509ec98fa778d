#include "experiment/launch.hpp"

#include <map>
#include <string>

#include <fmt/format.h>

#include <lathe/proto/trial_files.hpp>
#include <lathe/proto/warm_start.hpp>

#include "experiment/files.hpp"
#include "experiment/ids.hpp"

namespace lathe::manager {

namespace {

/// One word for a shell, whatever is in it.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

/// Starts what the agent forks the experiment's trials from. Its threads are those of its trials: one each; OpenBLAS
/// and OpenMP read their number when they are loaded.
std::string warm_parent_command(const std::filesystem::path& program, const ExperimentFolder& folder) {
  return fmt::format("exec env OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {} serve {} >>{} 2>&1",
                     quoted(program.string()), quoted(folder.compression().string()),
                     quoted(folder.warm_log().string()));
}

/// A fork has its parent's single thread, and cannot use its CUDA context.
bool may_be_warm(const proto::CompressionConfig& compression) {
  return compression.warm && compression.threads == 1 && compression.device == "cpu";
}

std::string built_in_command(const std::filesystem::path& program, std::string_view verb) {
  return fmt::format("exec {} {}", quoted(program.string()), verb);
}

using Environment = std::map<std::string, std::string>;

/// NNI's variables and ours. REUSE_MODE and MULTI_PHASE stay unset: unmodified NNI trials would look elsewhere.
Environment common_environment(const ExperimentState& state, const std::string& trial_id,
                               const std::string& directory) {
  return {
      {"NNI_PLATFORM", "local"},     {"NNI_EXP_ID", state.id()},           {"NNI_SYS_DIR", directory},
      {"NNI_OUTPUT_DIR", directory}, {"NNI_TRIAL_JOB_ID", trial_id},       {"LATHE_EXPERIMENT_ID", state.id()},
      {"LATHE_TRIAL_ID", trial_id},  {"LATHE_TRIAL_DIRECTORY", directory},
  };
}

void add_built_in(Environment& environment, const ExperimentFolder& folder) {
  environment["LATHE_COMPRESSION_CONFIG"] = folder.compression().string();
  environment["LATHE_SEARCH_SPACE"] = folder.search_space().string();
  environment["LATHE_BASELINE"] = folder.baseline_result().string();
  environment["OMP_WAIT_POLICY"] = "passive";
}

std::string working_directory(const ExperimentState& state, const std::string& otherwise) {
  const auto& code = state.config->trial_code_directory;
  return code.empty() ? otherwise : code.string();
}

}  // namespace

proto::StartTrial launch_trial(const ExperimentState& state, const TrialRow& trial,
                               const std::filesystem::path& trial_program) {
  const TrialRecord& record = trial.record;
  proto::StartTrial start;
  start.trial_id = attempt_id(trial);
  start.directory = record.directory;
  start.working_directory = working_directory(state, state.record().directory);
  start.environment = common_environment(state, record.id, record.directory);
  start.environment["NNI_TRIAL_SEQ_ID"] = std::to_string(record.sequence);
  start.environment["NNI_CODE_DIR"] = start.working_directory;
  start.parameter_file = proto::to_text({record.sequence, record.source, record.parameters});
  if (state.config->max_trial_duration) start.max_duration_s = state.config->max_trial_duration->count();
  if (state.config->trial_command) {
    start.command = *state.config->trial_command;
  } else {
    start.command = built_in_command(trial_program, "run");
    const ExperimentFolder folder{state.record().directory};
    add_built_in(start.environment, folder);
    if (may_be_warm(*state.config->compression)) {
      start.environment[std::string(proto::warm_parent_variable)] = warm_parent_command(trial_program, folder);
    }
  }
  return start;
}

proto::StartTrial launch_preparation(const ExperimentState& state, const std::filesystem::path& trial_program) {
  const ExperimentFolder folder{state.record().directory};
  proto::StartTrial start;
  start.trial_id = preparation_id(state.row);
  start.directory = folder.baseline().string();
  start.working_directory = working_directory(state, state.record().directory);
  start.environment = common_environment(state, std::string(preparation_trial), start.directory);
  start.environment["NNI_CODE_DIR"] = start.working_directory;
  start.command = built_in_command(trial_program, "prepare");
  add_built_in(start.environment, folder);
  return start;
}

}  // namespace lathe::manager
