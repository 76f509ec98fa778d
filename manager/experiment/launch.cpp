#include "experiment/launch.hpp"

#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/proto/trial_files.hpp>
#include <lathe/proto/warm_start.hpp>

#include "experiment/files.hpp"
#include "experiment/ids.hpp"
#include "experiment/workplace.hpp"

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
std::string warm_parent_command(const std::filesystem::path& program, const std::string& settings,
                                const std::string& log) {
  return fmt::format("exec env OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {} serve {} >>{} 2>&1",
                     quoted(program.string()), quoted(settings), quoted(log));
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

/// Unset, the trial sees every GPU; 0 hides them all.
void add_gpus(Environment& environment, const ExperimentState& state, const Station& station) {
  const auto& wanted = state.config->trial_gpu_number;
  if (!wanted || !station.spec.gives_gpus()) return;
  environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  environment["CUDA_VISIBLE_DEVICES"] = *wanted == 0 ? "-1" : fmt::format("{}", fmt::join(station.gpus, ","));
}

/// Settings and results that the built-in trial reads; the preparation's own result is not there yet for itself.
void add_built_in(Environment& environment, const ExperimentState& state, Workplace& place, bool is_preparation) {
  const ExperimentFolder folder{state.record().directory};
  environment["LATHE_COMPRESSION_CONFIG"] = place.compression(*state.config->compression, folder.compression());
  environment["LATHE_SEARCH_SPACE"] = place.file(folder.search_space());
  environment["LATHE_BASELINE"] =
      is_preparation ? place.baseline_folder() + "/baseline.json" : place.file(folder.baseline_result());
  environment["OMP_WAIT_POLICY"] = "passive";
}

std::filesystem::path program_on(const Station& station, Workplace& place, const std::filesystem::path& here) {
  if (place.is_here()) return here;
  if (!station.hello.trial_program.empty()) return station.hello.trial_program;
  return place.program(here, station.hello.version);
}

/// Code goes elsewhere as a copy of its own for each trial, so that no trial changes another's.
void set_working_directory(proto::StartTrial& start, const ExperimentState& state, const Station& station,
                           Workplace& place) {
  const auto& code = state.config->trial_code_directory;
  const bool has_code = place.is_here() && !station.spec.copies_code();
  if (has_code || code.empty() || state.config->compression) {
    start.working_directory = has_code && !code.empty() ? code.string() : place.experiment_folder();
    return;
  }
  start.code_tree = place.code(code);
  start.working_directory = start.directory + "/code";
}

std::string with_python(const std::string& command, const std::string& python_path) {
  return python_path.empty() ? command : fmt::format("export PATH={}:\"$PATH\"\n{}", quoted(python_path), command);
}

Workplace workplace_on(const ExperimentState& state, const Station& station) {
  return {state, station.spec.shares_disk() ? std::string() : station.hello.root};
}

}  // namespace

Launch launch_trial(const ExperimentState& state, const TrialRow& trial, const Station& station,
                    const std::filesystem::path& trial_program) {
  Workplace place = workplace_on(state, station);
  const TrialRecord& record = trial.record;
  proto::StartTrial start;
  start.trial_id = attempt_id(trial);
  start.directory = place.trial_folder(record);
  set_working_directory(start, state, station, place);
  start.environment = common_environment(state, record.id, start.directory);
  start.environment["NNI_TRIAL_SEQ_ID"] = std::to_string(record.sequence);
  start.environment["NNI_CODE_DIR"] = start.working_directory;
  add_gpus(start.environment, state, station);
  start.parameter_file = proto::to_text({record.sequence, record.source, record.parameters});
  start.launcher = station.spec.launcher;
  if (state.config->max_trial_duration) start.max_duration_s = state.config->max_trial_duration->count();
  if (state.config->trial_command) {
    start.command = with_python(*state.config->trial_command, station.spec.python_path);
  } else {
    const std::filesystem::path program = program_on(station, place, trial_program);
    start.command = built_in_command(program, "run");
    add_built_in(start.environment, state, place, /*is_preparation=*/false);
    if (start.launcher.is_null() && may_be_warm(*state.config->compression)) {
      start.environment[std::string(proto::warm_parent_variable)] = warm_parent_command(
          program, start.environment["LATHE_COMPRESSION_CONFIG"], place.experiment_folder() + "/warm.log");
    }
  }
  return {std::move(start), place.take_inputs()};
}

Launch launch_preparation(const ExperimentState& state, const Station& station,
                          const std::filesystem::path& trial_program) {
  Workplace place = workplace_on(state, station);
  proto::StartTrial start;
  start.trial_id = preparation_id(state.row);
  start.directory = place.baseline_folder();
  set_working_directory(start, state, station, place);
  start.environment = common_environment(state, std::string(preparation_trial), start.directory);
  start.environment["NNI_CODE_DIR"] = start.working_directory;
  add_gpus(start.environment, state, station);
  start.launcher = station.spec.launcher;
  start.command = built_in_command(program_on(station, place, trial_program), "prepare");
  add_built_in(start.environment, state, place, /*is_preparation=*/true);
  return {std::move(start), place.take_inputs()};
}

}  // namespace lathe::manager
