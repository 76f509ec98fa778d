#include "slurm/claim.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

constexpr int largest_status = 255;

std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::int64_t number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

fs::path claims_of(const fs::path& trial_folder) {
  return trial_folder / ".slurm";
}

}  // namespace

Claim::Claim(const fs::path& trial_folder, const std::string& token) : folder_(claims_of(trial_folder) / token) {}

bool Claim::prepare(const fs::path& trial_folder) {
  std::error_code error;
  fs::create_directories(claims_of(trial_folder), error);
  return !error;
}

bool Claim::is_made() const {
  struct stat info {};
  return ::stat(folder_.c_str(), &info) == 0;
}

std::optional<int> Claim::exit_status() const {
  const auto status = number_in(folder_ / "exit");
  if (!status || *status < 0 || *status > largest_status) return std::nullopt;
  return static_cast<int>(*status);
}

std::optional<std::int64_t> Claim::job_id() const {
  return number_in(folder_ / "job");
}

/// A trial folder that is gone holds nothing that could run either.
bool Claim::revoke() const {
  return ::mkdir(folder_.c_str(), 0755) == 0 || errno == ENOENT;
}

}  // namespace lathe::agent
