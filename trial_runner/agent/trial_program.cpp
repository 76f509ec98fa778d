#include "trial_program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "stderr_tail.hpp"
#include "version.hpp"

namespace lathe::agent {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds patience{5000};
constexpr std::string_view name = "lathe-trial";

std::filesystem::path find_program() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  const char* path = std::getenv("PATH");
  std::istringstream folders(own.parent_path().string() + ":" + (path != nullptr ? path : ""));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path program = std::filesystem::path(folder) / name;
    if (program.is_absolute() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

/// "0.1.0" and a newline.
std::string first_line(const std::string& text) {
  return to_valid_utf8(text.substr(0, text.find('\n')));
}

}  // namespace

TrialProgram::TrialProgram(boost::asio::io_context& io, Children& children, std::filesystem::path program,
                           std::filesystem::path cache, std::function<void()> known)
    : io_(io), children_(children), program_(std::move(program)), cache_(std::move(cache)), known_(std::move(known)) {
  load();
}

TrialProgram::~TrialProgram() {
  if (run_) run_->stop();
}

std::optional<std::string> TrialProgram::path() {
  const auto now = mark();
  if (!now) return "";
  if (answered_ == now) return version_ == version ? now->path : "";
  if (asked_ != now) ask(*now);
  return std::nullopt;
}

std::optional<TrialProgram::Mark> TrialProgram::mark() const {
  const auto program = program_.empty() ? find_program() : program_;
  struct stat info {};
  if (program.empty() || ::stat(program.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return Mark{program.string(), info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

void TrialProgram::ask(const Mark& mark) {
  if (run_) run_->stop();
  asked_ = mark;
  run_ = ProgramRun::start(io_, children_, "exec " + shell_quoted(mark.path) + " --version", patience,
                           [this](const ProgramOutput& answer) {
                             answered_ = std::exchange(asked_, std::nullopt);
                             version_ = answer.exit_code == 0 ? first_line(answer.output) : "";
                             // A host that was too busy to answer is asked again by the next agent.
                             if (answer.exit_code) save();
                             known_();
                           });
}

void TrialProgram::load() {
  std::ifstream file(cache_);
  const Json json = Json::parse(file, nullptr, false);
  if (!json.is_object()) return;
  try {
    answered_ = Mark{json.at("path").get<std::string>(), json.at("size").get<std::int64_t>(),
                     json.at("modified_ns").get<std::int64_t>()};
    version_ = json.at("version").get<std::string>();
  } catch (const Json::exception&) {
    answered_.reset();
  }
}

/// Half a file is asked for again; one that cannot be written too.
void TrialProgram::save() const {
  const Json json{{"path", answered_->path},
                  {"size", answered_->size},
                  {"modified_ns", answered_->modified_ns},
                  {"version", version_}};
  std::ofstream(cache_) << json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lathe::agent
