// Reads the metrics of one trial as its file grows.
//
// Whoever watches the file calls read(); nothing here waits. The file may appear late, be appended to in pieces, and be
// removed and written anew by the trial.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <lathe/proto/trial_files.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

class MetricTail {
 public:
  struct Metric {
    std::string payload;    ///< the JSON inside the frame
    std::uint64_t end = 0;  ///< offset in the file behind this frame: where a new tail goes on
  };
  struct Chunk {
    std::vector<Metric> metrics;
    bool at_end = false;  ///< the file held nothing more at this moment
  };

  /// `offset`: where a former tail of the same file left off.
  explicit MetricTail(std::filesystem::path file, std::uint64_t offset = 0);

  /// Reads up to `max_bytes` further. With `is_complete` (the writers are gone) nothing is left in wait at the end.
  [[nodiscard]] Chunk read(std::size_t max_bytes, bool is_complete);

  /// Damaged frames so far.
  [[nodiscard]] std::int64_t damaged() const { return damaged_before_ + frames_.damaged(); }

 private:
  [[nodiscard]] std::uint64_t available();
  void start_over(std::uint64_t offset);

  std::filesystem::path file_;
  Descriptor descriptor_;
  proto::MetricFrameReader frames_;
  std::uint64_t base_ = 0;  ///< offset in the file of the first byte that frames_ was fed
  std::uint64_t read_ = 0;  ///< offset of the next byte to read
  std::int64_t damaged_before_ = 0;
};

}  // namespace lathe::agent
