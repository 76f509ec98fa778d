#include "digits/digit_data.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include <lathe/compression/dataset.hpp>

#include "temporary_folder.hpp"

namespace lathe::examples {
namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

compression::Dataset load(const IdxPart& part) {
  return compression::load_idx(part.images, part.labels, {}, {}).value();
}

TEST(DigitData, IsMnistsFormatWithBalancedLabels) {
  const test::TemporaryFolder folder;
  const auto data = draw_data(folder.path() / "data", 0, false);
  const auto train = load(data.train);
  const auto test = load(data.test);
  EXPECT_EQ(train.size(), 6000);
  EXPECT_EQ(test.size(), 1000);
  EXPECT_EQ(train.record_shape(), (compression::Shape{1, 28, 28}));
  const auto labels = test.slice(0, 1000).targets;
  for (int digit = 0; digit < 10; ++digit) EXPECT_EQ(labels.eq(digit).sum().item<std::int64_t>(), 100) << digit;
}

TEST(DigitData, DependsOnTheSeedAlone) {
  const test::TemporaryFolder folder;
  const auto one = draw_data(folder.path() / "one", 3, false);
  const auto same = draw_data(folder.path() / "same", 3, false);
  const auto other = draw_data(folder.path() / "other", 4, false);
  EXPECT_EQ(bytes_of(one.test.images), bytes_of(same.test.images));
  EXPECT_NE(bytes_of(one.test.images), bytes_of(other.test.images));
  EXPECT_NE(bytes_of(one.train.images).substr(16, 784000), bytes_of(one.test.images).substr(16));
}

TEST(DigitData, KeepsWhatIsThereWhenAsked) {
  const test::TemporaryFolder folder;
  const auto data = draw_data(folder.path(), 0, false);
  const std::string drawn = bytes_of(data.test.images);
  std::ofstream(data.train.images) << "kept";
  std::filesystem::remove(data.test.labels);
  (void)draw_data(folder.path(), 0, true);
  EXPECT_EQ(bytes_of(data.train.images), "kept");
  EXPECT_EQ(bytes_of(data.test.images), drawn);
  EXPECT_TRUE(std::filesystem::exists(data.test.labels)) << "a part without its labels is drawn again";
  (void)draw_data(folder.path(), 0, false);
  EXPECT_NE(bytes_of(data.train.images), "kept");
}

TEST(DigitData, NamesTheFileThatCannotBeWritten) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "train-images-idx3-ubyte.tmp");
  try {
    (void)draw_data(folder.path(), 0, false);
    FAIL() << "expected an exception";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("train-images-idx3-ubyte"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lathe::examples
