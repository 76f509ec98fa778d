// A file that tells something about a daemon while it runs: its process id, its address.
#pragma once

#include <filesystem>
#include <string>

namespace lathe::manager {

class OwnFile {
 public:
  OwnFile() = default;
  /// Writes the file, replacing what was there; an empty path writes nothing. Throws std::runtime_error.
  OwnFile(std::filesystem::path path, const std::string& text);
  /// Removes it.
  ~OwnFile();
  OwnFile(OwnFile&& other) noexcept;
  OwnFile& operator=(OwnFile&& other) noexcept;

 private:
  std::filesystem::path path_;
};

}  // namespace lathe::manager
