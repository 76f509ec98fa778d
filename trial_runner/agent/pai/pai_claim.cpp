#include "pai/pai_claim.hpp"

#include <signal.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

constexpr int largest_status = 255;
constexpr std::size_t longest_host = 255;

std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::int64_t number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

}  // namespace

PaiClaim::PaiClaim(const fs::path& trial_folder, const std::string& job_name)
    : folder_(trial_folder / ".pai" / job_name) {}

bool PaiClaim::prepare() const {
  std::error_code error;
  fs::create_directories(folder_, error);
  return !error;
}

PaiClaim::Signs PaiClaim::look() const {
  Signs signs;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    signs.is_made = signs.is_made || name == "run";
    signs.is_again = signs.is_again || name == "again";
    signs.has_exit = signs.has_exit || name == "exit";
  }
  return signs;
}

std::optional<int> PaiClaim::exit_status() const {
  const auto status = number_in(folder_ / "exit");
  if (!status || *status < 0 || *status > largest_status) return std::nullopt;
  return static_cast<int>(*status);
}

std::optional<std::int64_t> PaiClaim::pid() const {
  const auto pid = number_in(folder_ / "pid");
  return pid && *pid > 0 ? pid : std::nullopt;
}

std::string PaiClaim::host() const {
  std::string host;
  std::getline(std::ifstream(folder_ / "host"), host);
  return to_valid_utf8(host.substr(0, longest_host));
}

bool PaiClaim::ask_to_end(int signal) const {
  std::ofstream file(folder_ / (signal == SIGTERM ? "terminate" : "kill"));
  file.close();
  return static_cast<bool>(file);
}

/// A trial folder that is gone holds nothing that could run either.
bool PaiClaim::revoke() const {
  return ::mkdir((folder_ / "run").c_str(), 0755) == 0 || errno == ENOENT;
}

}  // namespace lathe::agent
