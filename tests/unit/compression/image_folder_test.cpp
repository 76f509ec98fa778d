#include <lathe/compression/image_folder.hpp>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/image_decoder.hpp"
#include "data/image_resize.hpp"
#include "data/random.hpp"
#include "image_files.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

using lathe::test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two classes; the bytewise order of the names is Zebra, ant.
struct Pictures {
  TemporaryFolder folder;

  Pictures() {
    for (const char* name : {"ant", "Zebra"}) std::filesystem::create_directory(folder.path() / name);
    (void)folder.write("ant/2.png", test::png(4, 6, test::filled(4, 6, 0, 255, 51)));
    (void)folder.write("ant/10.JPG", test::jpeg(4, 6, test::filled(4, 6, 200, 100, 50)));
    (void)folder.write("Zebra/a.jpeg", test::jpeg(4, 6, test::filled(4, 6, 10, 20, 30)));
    (void)folder.write("ant/notes.txt", "no image");
    (void)folder.write("ant/.hidden.png", "no image");
  }

  [[nodiscard]] Result<Dataset> load(const ImageFolderOptions& options = {}, const Records& records = {}) const {
    return load_images(folder.path(), options, records, {});
  }
};

void expect_error(const Result<Dataset>& result, const std::vector<std::string>& parts) {
  ASSERT_FALSE(result);
  for (const auto& part : parts) EXPECT_THAT(result.error().message, HasSubstr(part));
}

TEST(ImageFolder, ClassesAndImagesAreInTheOrderOfTheirNames) {
  const auto data = Pictures().load();
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_THAT(data->class_names(), ElementsAre("Zebra", "ant"));
  EXPECT_EQ(data->record_shape(), (Shape{3, 4, 6}));
  EXPECT_EQ(data->largest_target(), 1);
  EXPECT_TRUE(data->takes_work());
}

TEST(ImageFolder, PixelsArePlanesOfFractions) {
  const Pictures pictures;
  const auto data = pictures.load();
  ASSERT_TRUE(data) << data.error().message;
  const Batch batch = data->slice(0, 3);
  EXPECT_TRUE(batch.targets.equal(at::tensor({0, 1, 1}, at::kLong)));
  const at::Tensor png = batch.inputs[2];  // 10.JPG stands before 2.png
  EXPECT_TRUE(png.select(0, 0).eq(0).all().item<bool>());
  EXPECT_TRUE(png.select(0, 1).allclose(at::ones({4, 6})));
  EXPECT_TRUE(png.select(0, 2).allclose(at::full({4, 6}, 0.2)));
  const at::Tensor jpeg = batch.inputs[1] * 255;
  EXPECT_LE((jpeg.select(0, 0) - 200).abs().max().item<double>(), 2);
  EXPECT_LE((jpeg.select(0, 2) - 50).abs().max().item<double>(), 2);
  EXPECT_TRUE(data->slice(0, 3).inputs.equal(batch.inputs)) << "from memory as from the file";
}

TEST(ImageFolder, GreyIsTheLumaOfTheStandard) {
  const auto data = Pictures().load({.channels = 1, .resize = {}, .crop = {}});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->record_shape(), (Shape{1, 4, 6}));
}

TEST(ImageFolder, RangesCountThroughAllClasses) {
  const auto data = Pictures().load({}, {1, 3});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->size(), 2);
  EXPECT_EQ(data->class_names().size(), 2U);
  expect_error(Pictures().load({}, {0, 4}), {"[0, 4)", "3 records"});
}

TEST(ImageFolder, SizesThatDifferNeedACrop) {
  const Pictures pictures;
  (void)pictures.folder.write("ant/1.png", test::png(5, 9, test::gradient(5, 9)));
  expect_error(pictures.load(), {"1.png", "5 x 9", "a.jpeg", "4 x 6", "crop"});
  const auto cropped = pictures.load({3, {}, ImageSize{4, 4}});
  ASSERT_TRUE(cropped) << cropped.error().message;
  EXPECT_EQ(cropped->slice(0, 4).inputs.sizes(), (Shape{4, 3, 4, 4}));
  // Rows 0 to 3 of 5 (half of 1 goes to the even 0), columns 2 to 5 of 9 (half of 5 goes to 2).
  const at::Tensor centre = cropped->slice(1, 2).inputs[0] * 255;
  EXPECT_NEAR(centre[0][0][0].item<double>(), 2, 1e-4);
  EXPECT_NEAR(centre[1][0][0].item<double>(), 0, 1e-4);
  const auto exact = pictures.load({3, ImageResize{8, 8}, {}});
  ASSERT_TRUE(exact) << exact.error().message;
  EXPECT_EQ(exact->slice(0, 4).inputs.sizes(), (Shape{4, 3, 8, 8}));
  const auto shorter = pictures.load({3, ImageResize{8, {}}, ImageSize{8, 8}});
  ASSERT_TRUE(shorter) << shorter.error().message;
  EXPECT_EQ(shorter->slice(0, 4).inputs.sizes(), (Shape{4, 3, 8, 8}));
}

TEST(ImageFolder, ACropThatDoesNotFitNamesTheImage) {
  const Pictures pictures;
  const auto data = pictures.load({3, {}, ImageSize{5, 5}});
  ASSERT_TRUE(data) << data.error().message;
  const auto batch = data->read({0}, std::nullopt);
  ASSERT_FALSE(batch);
  EXPECT_THAT(batch.error().message, HasSubstr("a.jpeg"));
  EXPECT_THAT(batch.error().message, HasSubstr("4 x 6 pixels are too few to cut 5 x 5 from"));
  EXPECT_THROW((void)data->slice(0, 1), std::runtime_error);
}

TEST(ImageFolder, FoldersThatAreNoDataAreErrors) {
  const TemporaryFolder folder;
  expect_error(load_images(folder.path(), {}, {}, {}), {"no folder in it"});
  expect_error(load_images(folder.path() / "none", {}, {}, {}), {"none", "cannot be read"});
  std::filesystem::create_directory(folder.path() / "empty");
  expect_error(load_images(folder.path(), {}, {}, {}), {"empty", "no image"});
  expect_error(load_images(folder.path(), {2, {}, {}}, {}, {}), {"1 or 3 channels", "2"});
}

TEST(ImageFolder, DamagedImagesAreNamed) {
  const Pictures pictures;
  const auto load_with = [&](const std::string& bytes) {
    (void)pictures.folder.write("ant/1.png", bytes);
    return pictures.load();
  };
  expect_error(load_with("GIF89a"), {"1.png", "neither JPEG nor PNG", "47 49"});
  expect_error(load_with(""), {"1.png", "no image"});
  std::string bomb = test::png(4, 6, test::gradient(4, 6));
  bomb[16] = '\x7F';  // the width's first byte, which the checksum of the header covers
  expect_error(load_with(bomb), {"1.png", "PNG"});
  const std::string whole = test::jpeg(64, 64, test::gradient(64, 64));
  const auto cut = decode_image({reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size() / 2});
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message, HasSubstr("damaged JPEG"));
}

TEST(ImageDecoder, RefusesBombsBeforeTakingMemory) {
  const auto refused = checked_size(100'000, 100'000);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("100000 x 100000"));
  EXPECT_FALSE(checked_size(0, 5));
  EXPECT_FALSE(checked_size(std::uint64_t{1} << 62, 4));
  std::string jpeg = test::jpeg(8, 8, test::gradient(8, 8));
  const auto frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  for (std::size_t at = frame + 5; at < frame + 9; ++at) jpeg[at] = '\xFF';  // 65535 x 65535
  const auto bomb = decode_image({reinterpret_cast<const std::uint8_t*>(jpeg.data()), jpeg.size()});
  ASSERT_FALSE(bomb);
  EXPECT_THAT(bomb.error().message, HasSubstr("pixels"));
}

/// Each damage is found or makes another image; nothing crashes, hangs, or reads what is not there.
TEST(ImageDecoder, SurvivesMutations) {
  SplitMix random(11);
  for (const std::string& good : {test::png(9, 7, test::gradient(9, 7)), test::jpeg(17, 19, test::gradient(17, 19))}) {
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
      std::string bytes = good;
      for (std::uint64_t edits = 1 + draw_below(4, random); edits > 0; --edits) {
        bytes[draw_below(bytes.size(), random)] = static_cast<char>(random());
      }
      if (draw_below(4, random) == 0) bytes.resize(draw_below(bytes.size(), random) + 1);
      const auto image = decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
      if (!image) {
        EXPECT_FALSE(image.error().message.empty());
        ++refused;
        continue;
      }
      ASSERT_EQ(static_cast<std::int64_t>(image->pixels.size()), image->height * image->width * 3);
    }
    EXPECT_GT(refused, 100);
  }
}

TEST(ImageResize, AveragesWhenItShrinksAndInterpolatesWhenItGrows) {
  const Image row{1, 4, 1, {0, 100, 200, 50}};
  // Weights 3, 3, 1 and 1, 3, 3 of 7: a triangle two pixels wide, cut off at the ends.
  EXPECT_THAT(resized(row, {1, 2}).pixels, ElementsAre(71, 121));
  EXPECT_THAT(resized(Image{4, 1, 1, {0, 100, 200, 50}}, {2, 1}).pixels, ElementsAre(71, 121));
  EXPECT_THAT(resized(Image{1, 2, 1, {0, 100}}, {1, 4}).pixels, ElementsAre(0, 25, 75, 100));
  EXPECT_EQ(resized(row, {1, 4}).pixels, row.pixels);
}

TEST(ImageResize, KeepsTheAspectOfTheShorterSide) {
  const auto size = resized_size({300, 401}, {256, {}});
  EXPECT_EQ(size.height, 256);
  EXPECT_EQ(size.width, 342);  // 342.18…
  EXPECT_EQ(resized_size({401, 300}, {256, {}}).height, 342);
  EXPECT_EQ(resized_size({300, 401}, {10, 20}).width, 20);
}

}  // namespace
}  // namespace lathe::compression
