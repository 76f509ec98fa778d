// Whether trials find room on the disk of the data folder. One that is started there in spite of a full disk loses what
// it reports, and nobody can give it back; the part that is held back is for those that run, and for the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace lathe::manager {

class DiskGuard {
 public:
  /// Bytes of the disk that holds `folder` which must be free for trials to be started; 0: it does not matter.
  DiskGuard(std::filesystem::path folder, std::uint64_t reserve) : folder_(std::move(folder)), reserve_(reserve) {}

  /// Why no trial may be started now, and what to do; empty: nothing is in the way. Looks at the disk each time.
  [[nodiscard]] std::string obstacle() const;

  /// The same for a commit that found no space: `error` is what the database said.
  [[nodiscard]] std::string obstacle_after(const std::string& error) const;

 private:
  std::filesystem::path folder_;
  std::uint64_t reserve_;
};

}  // namespace lathe::manager
