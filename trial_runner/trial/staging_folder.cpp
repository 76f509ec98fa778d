#include "staging_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace lathe::trial {
namespace fs = std::filesystem;
namespace {

/// Where the handler writes the signal's number. A handler gets no argument of ours, and LibTorch has threads before
/// main, so signals cannot be blocked in all of them and waited for in one.
std::atomic<int> signal_pipe = -1;

void forward_signal(int signal) {
  const auto number = static_cast<unsigned char>(signal);
  [[maybe_unused]] const auto written = ::write(signal_pipe, &number, 1);
}

void remove_when_signalled(const fs::path& folder) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;  // then a signal ends the process as ever
  signal_pipe = ends[1];
  struct sigaction action {};
  action.sa_handler = forward_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  std::thread([source = ends[0], folder] {
    unsigned char signal = 0;
    while (::read(source, &signal, 1) != 1) continue;
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    ::_exit(128 + signal);
  }).detach();
}

}  // namespace

Result<StagingFolder> StagingFolder::create(const fs::path& final) {
  std::error_code error;
  const fs::path target = fs::absolute(final, error).lexically_normal();
  const fs::path name = target.has_filename() ? target : target.parent_path();
  if (fs::exists(name, error) && !(fs::is_directory(name, error) && fs::is_empty(name, error)))
    return fail(fmt::format("output {}: is there already; name another folder, or remove it", name.string()));
  fs::create_directories(name.parent_path(), error);
  std::string pattern = (name.parent_path() / ("." + name.filename().string() + ".XXXXXX")).string();
  if (error || ::mkdtemp(pattern.data()) == nullptr)
    return fail(fmt::format("output {}: no folder can be made beside it: {}", name.string(), std::strerror(errno)));
  fs::permissions(pattern,
                  fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read |
                      fs::perms::others_exec,
                  error);
  remove_when_signalled(pattern);
  return StagingFolder(pattern, name);
}

StagingFolder::StagingFolder(fs::path path, fs::path final) : path_(std::move(path)), final_(std::move(final)) {}

StagingFolder::StagingFolder(StagingFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), final_(std::move(other.final_)) {}

StagingFolder::~StagingFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<void> StagingFolder::publish() {
  // rename(2) takes the place of an empty folder, and of no other.
  if (std::rename(path_.c_str(), final_.c_str()) != 0)
    return fail(fmt::format("output {}: {}", final_.string(), std::strerror(errno)));
  path_.clear();
  return {};
}

}  // namespace lathe::trial
