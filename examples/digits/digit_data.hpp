// The drawn data set of the examples: a training and a test part in MNIST's file format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace lathe::examples {

/// A pair of IDX files and which of their records.
struct IdxPart {
  std::filesystem::path images;
  std::filesystem::path labels;
  std::vector<std::int64_t> range;  ///< empty, or begin and end
};

struct TrainAndTest {
  IdxPart train;
  IdxPart test;
};

/// Draws 6,000 digits to train on and 1,000 to test with into `folder`, under MNIST's file names (train-… and test-…).
/// The parts come from seeds of their own. With `if_missing` a part that is there stays.
/// Throws std::runtime_error naming the file that cannot be written.
[[nodiscard]] TrainAndTest draw_data(const std::filesystem::path& folder, std::uint64_t seed, bool if_missing);

}  // namespace lathe::examples
