#include "slurm/fake_slurm.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include <spdlog/sinks/ostream_sink.h>

#include "files.hpp"
#include "program_run.hpp"
#include "trial_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::chrono::seconds deadline{60};

constexpr const char* head = R"sh(#!/bin/bash
fake=$(dirname "$0"); me=$(basename "$0")
answer=$(cat "$fake/$me.answer" 2>/dev/null)  # at once and before the call is told: a test may take it away then
echo "$*" >>"$fake/$me.calls"
if [ -n "$answer" ]; then eval "$answer"; exit; fi
)sh";

/// A job is a file with its row, its script and the script's argument, a line each.
constexpr const char* sbatch = R"sh(
comment= tasks= cluster=fake
for word; do
  case $word in
    --comment=*) comment=${word#*=} ;;
    --array=0-*) tasks=${word#*-} ; tasks=${tasks#*-}; tasks=${tasks##*-} ;;
  esac
done
id=$(($(cat "$fake/last" 2>/dev/null || echo 0) + 1)); echo $id >"$fake/last"
add() {
  printf '%s|%s|PENDING|0|Priority|%s||%s\n%s\n%s\n' "$id" "$1" "$comment" "$cluster" "${script}" "${token}" >"$fake/new"
  mv "$fake/new" "$fake/jobs/$1"
}
token=${!#}; set -- "${@:1:$#-1}"; script=${!#}
if [ -z "$tasks" ]; then add "$id"; else for task in $(seq 0 "$tasks"); do add "${id}_$task"; done; fi
echo "$id"
)sh";
constexpr const char* squeue = R"sh(for job in "$fake"/jobs/*; do [ -e "$job" ] && head -n 1 "$job"; done; exit 0
)sh";
constexpr const char* scancel = R"sh(
for word; do
  job=$fake/jobs/$word
  # What runs is left alone, not even written anew: the test says what becomes of it, perhaps in this moment.
  if [[ $* != *--signal* ]] && grep -qs '|PENDING|' "$job"; then sed -i '1s/|PENDING|/|CANCELLED|/' "$job"; fi
done
)sh";
constexpr const char* sacct = "echo 'Slurm accounting storage is disabled' >&2; exit 1\n";

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void write(const fs::path& file, const std::string& text) {
  const fs::path aside = file.string() + "~";
  std::ofstream(aside) << text;
  fs::rename(aside, file);
}

}  // namespace

FakeSlurm::FakeSlurm() : path_(std::getenv("PATH")) {
  fs::create_directory(file("jobs"));
  const std::map<std::string, std::string> programs{
      {"sbatch", sbatch}, {"squeue", squeue}, {"scancel", scancel}, {"sacct", sacct}};
  for (const auto& [name, text] : programs) {
    std::ofstream(file(name)) << head << text;
    ::chmod(file(name).c_str(), 0755);
  }
  ::setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
}

FakeSlurm::~FakeSlurm() {
  ::setenv("PATH", path_.c_str(), 1);
}

void FakeSlurm::answer(const std::string& program, const std::string& shell) const {
  if (shell.empty()) {
    fs::remove(file(program + ".answer"));
  } else {
    write(file(program + ".answer"), shell);
  }
}

std::vector<std::string> FakeSlurm::calls(const std::string& program) const {
  return lines_of(file(program + ".calls"));
}

std::vector<std::string> FakeSlurm::jobs() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(file("jobs"))) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string FakeSlurm::state_of(const std::string& name) const {
  std::istringstream row(lines_of(file("jobs") / name).at(0));
  std::string field;
  for (int column = 0; column < 3; ++column) std::getline(row, field, '|');
  return field;
}

void FakeSlurm::set(const std::string& name, const std::string& state, const std::string& reason, int status) const {
  const auto lines = lines_of(file("jobs") / name);
  std::vector<std::string> fields;
  std::istringstream row(lines.at(0));
  for (std::string field; std::getline(row, field, '|');) fields.push_back(field);
  fields.at(2) = state;
  fields.at(3) = std::to_string(status);
  fields.at(4) = reason;
  fields.at(6) = state == "PENDING" ? "" : "node7";
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : "|") + field;
  for (std::size_t i = 1; i < lines.size(); ++i) text += "\n" + lines[i];
  write(file("row"), text + "\n");
  fs::rename(file("row"), file("jobs") / name);
}

void FakeSlurm::forget(const std::string& name) const {
  fs::remove(file("jobs") / name);
}

int FakeSlurm::run_script(const std::string& name) const {
  const auto lines = lines_of(file("jobs") / name);
  const auto task = name.find('_');
  const std::string number = task == std::string::npos ? "" : name.substr(task + 1);
  const std::string command = "SLURM_JOB_ID=" + name.substr(0, task) + " SLURM_ARRAY_TASK_ID=" + number + " bash " +
                              shell_quoted(lines.at(1)) + " " + shell_quoted(lines.at(2)) + " >>" +
                              shell_quoted(file("output")) + " 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int FakeSlurm::run(const std::string& name) const {
  const int status = run_script(name);
  set(name, status == 0 ? "COMPLETED" : "FAILED", "None", status << 8);
  return status;
}

SlurmTest::SlurmTest()
    : log_(std::make_unique<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_text_))) {
  times_.gather = milliseconds(5);
  times_.shortest_poll = milliseconds(10);
  times_.longest_poll = milliseconds(50);
  times_.files = milliseconds(10);
  times_.first_retry = times_.last_retry = milliseconds(20);
  times_.patience = milliseconds(2000);
  next_launcher();
}

void SlurmTest::next_launcher() {
  jobs_.clear();
  launcher_.reset();
  launcher_ = std::make_unique<SlurmLauncher>(io_, children_, folder_.path() / "owner", *log_, times_);
}

proto::Result<std::unique_ptr<Job>> SlurmTest::try_start(const std::string& id, const std::string& command,
                                                         const nlohmann::ordered_json& settings) {
  proto::StartTrial start;
  start.trial_id = id;
  start.command = command;
  start.directory = directory_of(id);
  start.launcher = settings;
  auto folder = lay_out(start, folder_.path());
  if (!folder) return tl::unexpected<proto::Error>(folder.error());
  Launch launch{start, {{"NNI_SYS_DIR", start.directory}}, folder_.path(), std::move(*folder)};
  return launcher_->start(std::move(launch), [this, id] {
    Started& started = jobs_[id];
    started.records.push_back(started.job->record());
  });
}

SlurmTest::Started& SlurmTest::start(const std::string& id, const std::string& command,
                                     const nlohmann::ordered_json& settings) {
  auto job = try_start(id, command, settings);
  if (!job) throw std::runtime_error(job.error().message);
  Started& started = jobs_[id];
  started.job = std::move(*job);
  started.job->release();
  return started;
}

SlurmTest::Started& SlurmTest::adopt(const std::string& id, const nlohmann::ordered_json& record) {
  Started& started = jobs_[id];
  started.job = launcher_->adopt({id, directory_of(id), record}, [this, id] {
    Started& told = jobs_[id];
    told.records.push_back(told.job->record());
  });
  return started;
}

void SlurmTest::wait_until(const std::function<bool()>& condition, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("too late: " + what + "\n" + log_text_.str());
    io_.run_for(milliseconds(5));
    io_.restart();
  }
}

void SlurmTest::wait_for_listings(std::size_t count) {
  const std::size_t wanted = slurm_.calls("squeue").size() + count;
  wait_until([&] { return slurm_.calls("squeue").size() >= wanted; }, "listings");
}

const JobEnd& SlurmTest::end_of(Started& started) {
  wait_until([&] { return started.job->end().has_value(); }, "the end");
  return *started.job->end();
}

void SlurmTest::wait_for_jobs(std::size_t count) {
  wait_until([&] { return slurm_.jobs().size() >= count; }, "the jobs are submitted");
}

}  // namespace lathe::agent
