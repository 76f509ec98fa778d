#include "fingerprint.hpp"

#include <sys/stat.h>

#include <utility>
#include <variant>

namespace lathe::trial {
namespace {

namespace fs = std::filesystem;

struct FileLister {
  std::vector<fs::path>& files;

  void operator()(const proto::IdxFiles& part) const { files.insert(files.end(), {part.images, part.labels}); }
  void operator()(const proto::CifarFiles& part) const {
    files.insert(files.end(), part.batches.begin(), part.batches.end());
  }
  void operator()(const proto::TensorFile& part) const { files.push_back(part.file); }
  void operator()(const proto::NpyFiles& part) const { files.insert(files.end(), {part.inputs, part.targets}); }
  /// The folders of the classes: a file that comes or goes touches its folder, and the images are read when needed.
  void operator()(const proto::ImageFolder& part) const {
    files.push_back(part.folder);
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(part.folder, unreadable)) files.push_back(entry.path());
  }
};

}  // namespace

Fingerprint::Fingerprint(std::vector<fs::path> files) {
  for (fs::path& file : files) {
    const Mark mark = mark_of(file);
    files_.emplace_back(std::move(file), mark);
  }
}

std::optional<fs::path> Fingerprint::changed() const {
  for (const auto& [file, mark] : files_) {
    if (mark_of(file) != mark) return file;
  }
  return std::nullopt;
}

Fingerprint::Mark Fingerprint::mark_of(const fs::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return {};
  constexpr std::int64_t second_ns = 1'000'000'000;
  return {true, found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec * second_ns + found.st_mtim.tv_nsec};
}

std::vector<fs::path> files_of(const proto::CompressionConfig& config) {
  std::vector<fs::path> files{config.model};
  std::visit(FileLister{files}, config.data.train.source);
  std::visit(FileLister{files}, config.data.test.source);
  std::error_code unknown;
  // The path behind the link: a program that was replaced while it runs counts as changed.
  if (const fs::path program = fs::read_symlink("/proc/self/exe", unknown); !unknown) files.push_back(program);
  return files;
}

}  // namespace lathe::trial
