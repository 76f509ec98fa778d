#include "daemon/own_file.hpp"

#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace lathe::manager {

OwnFile::OwnFile(std::filesystem::path path, const std::string& text) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::ofstream file(path_, std::ios::trunc);
  file << text << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + path_.string());
}

OwnFile::~OwnFile() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

OwnFile::OwnFile(OwnFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}

OwnFile& OwnFile::operator=(OwnFile&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

}  // namespace lathe::manager
