#include "agent_images.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "lathe-agent-";
constexpr std::size_t hash_digits = 16;
constexpr std::time_t longest_idleness = 24 * 60 * 60;

using FileId = std::pair<dev_t, ino_t>;

/// `lathe-agent-HASH`, or with `.PID` behind it while it is being written.
bool is_image(const std::string& name, bool may_be_half) {
  if (!name.starts_with(prefix)) return false;
  const std::string_view rest = std::string_view(name).substr(prefix.size());
  if (rest.substr(0, hash_digits).find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  if (rest.size() <= hash_digits) return rest.size() == hash_digits;
  const std::string_view half = rest.substr(hash_digits);
  return may_be_half && half.size() > 1 && half[0] == '.' &&
         half.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

/// What processes of this host run, as far as this user may know.
std::set<FileId> running_programs() {
  std::set<FileId> programs;
  std::error_code error;
  for (auto each = fs::directory_iterator("/proc", error); !error && each != fs::end(each); each.increment(error)) {
    const std::string name = each->path().filename().string();
    struct stat status {};
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0 && ::stat((each->path() / "exe").c_str(), &status) == 0)
      programs.emplace(status.st_dev, status.st_ino);
  }
  return programs;
}

}  // namespace

void remove_idle_images(const fs::path& program) {
  if (!is_image(program.filename().string(), /*may_be_half=*/false)) return;
  const std::set<FileId> running = running_programs();
  const std::time_t now = std::time(nullptr);
  std::error_code error;
  for (auto each = fs::directory_iterator(program.parent_path(), error); !error && each != fs::end(each);
       each.increment(error)) {
    struct stat status {};
    if (!is_image(each->path().filename().string(), /*may_be_half=*/true)) continue;
    if (each->path().filename() == program.filename()) continue;
    if (::lstat(each->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const std::time_t used = std::max(status.st_atim.tv_sec, status.st_mtim.tv_sec);
    if (now - used > longest_idleness && !running.contains({status.st_dev, status.st_ino}))
      ::unlink(each->path().c_str());
  }
}

}  // namespace lathe::agent
