#include "token.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "files.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_token = 4096;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto begin = text.find_first_not_of(blank);
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blank) - begin + 1));
}

/// One word of visible characters: anything else could not be a header, and is some other file.
Outcome<std::string> check_token(const std::string& text, const std::string& source) {
  const std::string token = trimmed(text);
  const bool is_visible = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!token.empty() && token.size() <= longest_token && is_visible) return token;
  return fail(fmt::format("{}: there is no token in it; expected one word", escape(source)), ExitCode::Usage);
}

Outcome<std::string> read_token(const std::string& path) {
  std::istringstream no_input;
  const auto text = read_file(path, no_input);
  if (!text) return fail("token file " + text.error().message, ExitCode::Usage);
  return check_token(*text, path);
}

/// A lathed holds the lock of its folder as long as it lives. Asked of the kernel's list, since trying the lock would
/// be in the way of a lathed that is just starting.
bool is_in_use(const fs::path& data_dir) {
  struct stat status {};
  if (::lstat((data_dir / "lathed.lock").c_str(), &status) != 0) return false;
  const std::string inode = fmt::format(":{} ", status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    if (line.find(" FLOCK ") != line.npos && line.find(inode) != line.npos) return true;
  }
  return false;
}

/// The folder's files are only as good as who could have written them.
bool is_trusted(const fs::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return ::geteuid() == 0 || status.st_uid == ::geteuid();
}

bool serves(const fs::path& data_dir, const BaseUrl& url) {
  const fs::path file = data_dir / "lathed.address";
  if (!is_trusted(file)) return false;
  std::ifstream stream(file);
  std::string address;
  std::getline(stream, address);
  return address.substr(address.rfind(':') + 1) == url.port && is_in_use(data_dir);
}

}  // namespace

TokenSources token_sources_of_process() {
  TokenSources sources{"", variable("LATHE_TOKEN"), variable("LATHE_TOKEN_FILE"), {}};
  if (const std::string state = variable("XDG_STATE_HOME"); !state.empty() && state.front() == '/')
    sources.data_dirs.push_back(fs::path(state) / "lathe");
  if (const std::string home = variable("HOME"); !home.empty() && home.front() == '/')
    sources.data_dirs.push_back(fs::path(home) / ".local/state/lathe");
  sources.data_dirs.emplace_back("/var/lib/lathe");
  return sources;
}

Outcome<std::string> find_token(const TokenSources& sources, const BaseUrl& url) {
  if (!sources.file.empty()) return read_token(sources.file);
  if (!sources.environment.empty()) return check_token(sources.environment, "LATHE_TOKEN");
  if (!sources.environment_file.empty()) return read_token(sources.environment_file);
  if (!url.is_loopback()) return std::string();
  for (const fs::path& data_dir : sources.data_dirs) {
    const fs::path file = data_dir / "operator-token";
    if (serves(data_dir, url) && is_trusted(file) && ::access(file.c_str(), R_OK) == 0) return read_token(file);
  }
  return std::string();
}

}  // namespace lathe::cli
