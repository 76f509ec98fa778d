// Whether the daemon starts anything new. Kept in a file of the data folder, so that it outlives the daemon, and so
// that an operator can set it while there is none.
#pragma once

#include <filesystem>
#include <utility>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

/// is_on() and set() belong to the loop thread.
class DrainSwitch {
 public:
  explicit DrainSwitch(std::filesystem::path data_dir) : file_(std::move(data_dir) / "draining") {}

  [[nodiscard]] bool is_on() const { return is_on_; }

  /// Takes up what the disk says. Blocking.
  void load();
  /// Puts it on disk; set() puts it into force. Blocking.
  [[nodiscard]] proto::Result<void> store(bool on) const;
  void set(bool on) { is_on_ = on; }

 private:
  std::filesystem::path file_;  ///< there is such a file: on
  bool is_on_ = false;
};

}  // namespace lathe::manager
