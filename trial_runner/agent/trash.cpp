#include "trash.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "descriptor.hpp"
#include "random_id.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* trash_name = "trash";
constexpr int folder_itself = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// What a trial forbade itself must not be forbidden to us: reading, moving and emptying a folder. Not a folder:
/// nothing happens.
void allow_everything(int parent, const std::string& name) {
  const Descriptor folder(::openat(parent, name.c_str(), folder_itself));
  if (folder.is_open()) ::chmod(("/proc/self/fd/" + std::to_string(folder.get())).c_str(), 0700);
}

/// Up to `most` names of an open folder.
std::vector<std::string> names_in(int folder, std::size_t most) {
  std::vector<std::string> names;
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
  if (!listing) return names;
  while (const dirent* entry = names.size() < most ? ::readdir(listing.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

}  // namespace

Trash::Trash(fs::path root) : root_(std::move(root)), prefix_(random_id(8)) {}

std::string Trash::new_name() {
  return prefix_ + "." + std::to_string(count_++);
}

proto::Result<void> Trash::open() {
  if (::mkdir((root_ / trash_name).c_str(), 0700) == 0 || errno == EEXIST) return {};
  return proto::fail(describe_errno("cannot make " + (root_ / trash_name).string()));
}

proto::Result<void> Trash::take(const std::string& folder) {
  if (auto opened = open(); !opened) return opened;
  const Descriptor trash(::open((root_ / trash_name).c_str(), folder_itself));
  Descriptor parent(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const fs::path path = folder;
  for (const fs::path& part : path.parent_path()) {
    if (!parent.is_open()) break;
    parent = Descriptor(::openat(parent.get(), part.c_str(), folder_itself));
  }
  const std::string name = path.filename().string();
  if (parent.is_open()) {
    allow_everything(parent.get(), name);
    if (::renameat(parent.get(), name.c_str(), trash.get(), new_name().c_str()) == 0) return {};
  }
  if (errno == ENOENT) return {};
  return proto::fail(describe_errno("cannot remove " + (root_ / folder).string()));
}

bool Trash::empty_some(std::size_t most) {
  const Descriptor trash(::open((root_ / trash_name).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!trash.is_open()) return false;
  std::size_t done = 0;
  for (const std::string& name : names_in(trash.get(), stuck_.size() + most)) {
    if (done >= most) break;
    if (!stuck_.contains(name)) done += clear(trash.get(), name, most - done);
  }
  return done > 0;
}

/// Folders inside a folder are moved up into the trash instead of gone down into: however deep they lie, one descriptor
/// is enough. Returns how much was done.
std::size_t Trash::clear(int trash, const std::string& name, std::size_t most) {
  if (::unlinkat(trash, name.c_str(), 0) == 0) return 1;
  allow_everything(trash, name);
  const Descriptor folder(::openat(trash, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  std::size_t done = 0;
  for (const std::string& inside : folder.is_open() ? names_in(folder.get(), most) : std::vector<std::string>()) {
    allow_everything(folder.get(), inside);
    const bool gone = ::unlinkat(folder.get(), inside.c_str(), 0) == 0 ||
                      ::renameat(folder.get(), inside.c_str(), trash, new_name().c_str()) == 0;
    if (gone) ++done;
  }
  const bool is_removed = ::unlinkat(trash, name.c_str(), AT_REMOVEDIR) == 0;
  if (!is_removed && done == 0) stuck_.insert(name);
  return done + (is_removed ? 1 : 0);
}

}  // namespace lathe::agent
