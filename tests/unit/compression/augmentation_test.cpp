// Crops and random changes of images in a data set, and the batches that trainings read.
#include <numeric>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/dataset.hpp>

#include "data/record_source.hpp"
#include "training/batches.hpp"

namespace lathe::compression {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kRecords = 64;

/// [N, 2, 4, 4] bytes that tell where they were: 16 * channel + 4 * row + column + 1.
Dataset squares(const Normalization& normalization = {}) {
  const at::Tensor one = at::arange(1, 33, at::kByte).view({1, 2, 4, 4});
  return Dataset::create(one.expand({kRecords, 2, 4, 4}), at::arange(kRecords, at::kLong), normalization).value();
}

std::vector<std::int64_t> all_records() {
  std::vector<std::int64_t> all(kRecords);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

at::Tensor pixels(const Dataset& data, const std::optional<AugmentationDraw>& draw) {
  return (data.read(all_records(), draw).value().inputs * 255).round().to(at::kLong);
}

TEST(Augmentation, CropsTheCentre) {
  const auto cropped = squares().cropped({2, 2});
  ASSERT_TRUE(cropped) << cropped.error().message;
  EXPECT_EQ(cropped->record_shape(), (Shape{2, 2, 2}));
  EXPECT_TRUE(pixels(*cropped, {})[0][0].equal(at::tensor({6, 7, 10, 11}, at::kLong).view({2, 2})));
  const auto too_large = squares().cropped({5, 2});
  ASSERT_FALSE(too_large);
  EXPECT_THAT(too_large.error().message, HasSubstr("4 x 4"));
  EXPECT_FALSE(Dataset::create(at::ones({2, 3}), at::zeros({2}, at::kLong), {})->cropped({1, 1}));
}

TEST(Augmentation, NothingIsRandomWithoutADraw) {
  const auto data = squares().augmented({true, 2, true});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_TRUE(data->takes_work());
  EXPECT_TRUE(pixels(*data, {}).equal(pixels(squares(), {})));
}

TEST(Augmentation, FlipsAboutHalfOfTheImagesAndNothingElse) {
  const auto data = squares().augmented({false, 0, true});
  const at::Tensor whole = pixels(squares(), {})[0];
  int flipped = 0;
  for (const at::Tensor& image : pixels(*data, AugmentationDraw{1, 0}).unbind()) {
    const bool is_flipped = image.equal(whole.flip({2}));
    ASSERT_TRUE(is_flipped || image.equal(whole));
    flipped += is_flipped ? 1 : 0;
  }
  EXPECT_GT(flipped, 16);
  EXPECT_LT(flipped, 48);
}

TEST(Augmentation, RandomCropsReachEveryPlaceAndPadWithZeros) {
  const auto data = squares().augmented({true, 1, false});
  std::set<std::int64_t> corners;
  const at::Tensor padded = at::constant_pad_nd(pixels(squares(), {})[0], {1, 1, 1, 1});
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    for (const at::Tensor& image : pixels(*data, AugmentationDraw{5, epoch}).unbind()) {
      bool is_found = false;
      for (std::int64_t place = 0; place < 9 && !is_found; ++place) {
        is_found = image.equal(padded.narrow(1, place / 3, 4).narrow(2, place % 3, 4));
        if (is_found) corners.insert(place);
      }
      ASSERT_TRUE(is_found);
    }
  }
  EXPECT_EQ(corners.size(), 9U);
}

/// Zeros are put in before the normalisation, as by torchvision.
TEST(Augmentation, PaddingIsNormalisedToo) {
  const auto data = squares({{0.5, 0.25}, {0.5, 0.5}}).augmented({true, 4, false});
  const at::Tensor images = data->read(all_records(), AugmentationDraw{2, 0})->inputs;
  EXPECT_FLOAT_EQ(images.select(1, 0).min().item<float>(), -1.F);
  EXPECT_FLOAT_EQ(images.select(1, 1).min().item<float>(), -0.5F);
}

TEST(Augmentation, DependsOnSeedEpochAndRecordAlone) {
  const auto data = squares().augmented({true, 2, true});
  const at::Tensor images = pixels(*data, AugmentationDraw{7, 3});
  EXPECT_TRUE(images.equal(pixels(*data, AugmentationDraw{7, 3})));
  EXPECT_FALSE(images.equal(pixels(*data, AugmentationDraw{7, 4})));
  EXPECT_FALSE(images.equal(pixels(*data, AugmentationDraw{8, 3})));
  const at::Tensor alone = data->read({9}, AugmentationDraw{7, 3})->inputs * 255;
  EXPECT_TRUE(alone[0].round().to(at::kLong).equal(images[9]));
}

/// Records that can be made to fail.
class Unreliable final : public RecordSource {
 public:
  explicit Unreliable(std::int64_t bad) : bad_(bad) {}
  [[nodiscard]] std::int64_t size() const override { return kRecords; }
  [[nodiscard]] at::ScalarType type() const override { return at::kByte; }
  [[nodiscard]] Shape shape() const override { return {1}; }
  [[nodiscard]] bool takes_work() const override { return true; }
  [[nodiscard]] Result<RecordView> record(std::int64_t index, std::vector<std::uint8_t>& scratch) const override {
    if (index == bad_) return fail("record " + std::to_string(index) + " is damaged");
    scratch.assign(1, static_cast<std::uint8_t>(index));
    return RecordView{scratch.data()};
  }
  [[nodiscard]] std::string name_of(std::int64_t index) const override { return std::to_string(index); }

 private:
  std::int64_t bad_;
};

Dataset unreliable(std::int64_t bad) {
  return Dataset::create(std::make_shared<Unreliable>(bad), at::zeros({kRecords}, at::kLong), {}).value();
}

TEST(Batches, AreTheSameWithAndWithoutAThread) {
  const auto data = squares().augmented({true, 2, true});
  const BatchOptions alone{10, true, AugmentationDraw{1, 2}, 0};
  const BatchOptions ahead{10, true, AugmentationDraw{1, 2}, 3};
  Batches first(*data, all_records(), alone);
  Batches second(*data, all_records(), ahead);
  EXPECT_EQ(first.count(), 7);
  while (const auto batch = first.next()) {
    const auto other = second.next();
    ASSERT_TRUE(other && *other);
    EXPECT_TRUE((*batch)->inputs.equal((*other)->inputs));
    EXPECT_TRUE((*batch)->targets.equal((*other)->targets));
  }
  EXPECT_FALSE(second.next());
}

TEST(Batches, ALastSingleRecordIsJoinedWhereThatIsWanted) {
  const Dataset data = squares();
  EXPECT_EQ(Batches(data, all_records(), {21, true, {}, 0}).count(), 3);
  EXPECT_EQ(Batches(data, all_records(), {21, false, {}, 0}).count(), 4);
  EXPECT_EQ(Batches(data, {5}, {21, true, {}, 2}).count(), 1);
}

TEST(Batches, ErrorsComeInTheirPlaceAndEndThePass) {
  const Dataset data = unreliable(25);
  for (const std::int64_t ahead : {0, 1, 4}) {
    Batches batches(data, all_records(), {10, false, {}, ahead});
    ASSERT_TRUE(batches.next()->has_value());
    ASSERT_TRUE(batches.next()->has_value());
    const auto bad = batches.next();
    ASSERT_TRUE(bad && !*bad);
    EXPECT_EQ(bad->error().message, "record 25 is damaged");
    EXPECT_FALSE(batches.next());
  }
}

TEST(Batches, MayBeAbandonedAtAnyTime) {
  const Dataset data = unreliable(-1);
  for (int taken = 0; taken < 8; ++taken) {
    Batches batches(data, all_records(), {4, false, {}, 2});
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(batches.next()->has_value());
  }
}

}  // namespace
}  // namespace lathe::compression
