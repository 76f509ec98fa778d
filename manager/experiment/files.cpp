#include "experiment/files.hpp"

#include <cerrno>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kAside = ".deleted";

/// Written beside and renamed, so that a reader never sees half a file.
proto::Result<void> write_json(const fs::path& path, const nlohmann::ordered_json& json) {
  const fs::path temporary = path.string() + ".tmp";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << json.dump(2) << '\n';
  errno = 0;
  file.close();
  if (!file)
    return proto::fail(fmt::format("cannot write {}: {}", temporary.string(), std::generic_category().message(errno)));
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) return proto::fail(fmt::format("cannot write {}: {}", path.string(), error.message()));
  return {};
}

std::string random_word() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
  std::string word;
  for (int i = 0; i < 12; ++i) word += letters[pick(device)];
  return word;
}

fs::path aside(const ExperimentFolder& folder) {
  return folder.root.string() + std::string(kAside);
}

proto::Result<void> fill_folder(const ExperimentFolder& folder, const proto::ExperimentConfig& config) {
  std::error_code error;
  fs::create_directories(folder.root / "trials", error);
  if (error) return proto::fail(fmt::format("cannot make {}: {}", folder.root.string(), error.message()));
  if (auto written = write_config(folder, config); !written) return written;
  if (!config.compression) return {};
  return write_json(folder.compression(), proto::to_json(*config.compression));
}

}  // namespace

proto::Result<void> create_folder(const ExperimentFolder& folder, const proto::ExperimentConfig& config) {
  auto filled = fill_folder(folder, config);
  if (filled) return filled;
  std::error_code ignored;
  fs::remove_all(folder.root, ignored);
  return filled;
}

proto::Result<std::string> daemon_id_of(const fs::path& data_dir) {
  const fs::path path = data_dir / "daemon_id";
  std::string word;
  std::ifstream(path) >> word;
  const bool is_word = !word.empty() && word.size() <= 64 &&
                       word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
  if (is_word) return word;
  word = random_word();
  const fs::path temporary = path.string() + ".tmp";
  std::ofstream file(temporary, std::ios::trunc);
  file << word << '\n';
  file.close();
  std::error_code error;
  fs::rename(temporary, path, error);
  if (!file || error) return proto::fail(fmt::format("cannot write {}", path.string()));
  return word;
}

proto::Result<void> write_config(const ExperimentFolder& folder, const proto::ExperimentConfig& config) {
  if (auto written = write_json(folder.config(), proto::to_json(config)); !written) return written;
  return write_json(folder.search_space(), proto::to_json(config.search_space));
}

proto::Result<void> link_best(const ExperimentFolder& folder, const std::string& trial_id) {
  const fs::path target = fs::path("trials") / trial_id;
  std::error_code error;
  if (fs::read_symlink(folder.best(), error) == target) return {};
  const fs::path temporary = folder.best().string() + ".tmp";
  fs::remove(temporary, error);
  fs::create_directory_symlink(target, temporary, error);
  if (!error) fs::rename(temporary, folder.best(), error);
  if (error) return proto::fail(fmt::format("cannot link {}: {}", folder.best().string(), error.message()));
  return {};
}

proto::Result<void> set_aside(const ExperimentFolder& folder) {
  std::error_code error;
  fs::rename(folder.root, aside(folder), error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return proto::fail(fmt::format("cannot move {}: {}", folder.root.string(), error.message()));
  }
  return {};
}

void put_back(const ExperimentFolder& folder) {
  std::error_code ignored;
  fs::rename(aside(folder), folder.root, ignored);
}

void remove_set_aside(const ExperimentFolder& folder) {
  std::error_code ignored;
  fs::remove_all(aside(folder), ignored);
}

std::vector<std::string> folders_set_aside(const fs::path& experiments) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(experiments, error)) {
    if (entry.path().extension() == kAside) ids.push_back(entry.path().stem().string());
  }
  return ids;
}

}  // namespace lathe::manager
