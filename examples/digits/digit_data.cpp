#include "digits/digit_data.hpp"

#include "digits/idx_writer.hpp"

namespace lathe::examples {
namespace {

namespace fs = std::filesystem;

constexpr int kTrainDigits = 6000;
constexpr int kTestDigits = 1000;

IdxPart draw_part(const fs::path& folder, const std::string& name, int count, std::uint64_t seed, bool if_missing) {
  IdxPart part{folder / (name + "-images-idx3-ubyte"), folder / (name + "-labels-idx1-ubyte"), {}};
  const bool there = fs::exists(part.images) && fs::exists(part.labels);
  if (!there || !if_missing) write_digits(part.images, part.labels, count, seed);
  return part;
}

}  // namespace

TrainAndTest draw_data(const fs::path& folder, std::uint64_t seed, bool if_missing) {
  return {draw_part(folder, "train", kTrainDigits, seed * 2 + 1, if_missing),
          draw_part(folder, "test", kTestDigits, seed * 2 + 2, if_missing)};
}

}  // namespace lathe::examples
