#include <lathe/compression/dataset.hpp>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <zlib.h>

#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

using test::TemporaryFolder;
using ::testing::HasSubstr;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

std::string idx(const std::vector<std::uint32_t>& shape, const std::string& elements, char type = '\x08') {
  std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const auto size : shape) bytes += big_endian(size);
  return bytes + elements;
}

/// Three images of 1 x 2 pixels, labels 0, 1, 2.
struct TinyIdx {
  TemporaryFolder folder;
  std::filesystem::path images = folder.write("images", idx({3, 1, 2}, std::string{"\x00\xff\x33\x66\x99\xcc", 6}));
  std::filesystem::path labels = folder.write("labels", idx({3}, std::string{"\x00\x01\x02", 3}));

  [[nodiscard]] Result<Dataset> load(const Records& records = {}, const Normalization& normalization = {}) const {
    return load_idx(images, labels, records, normalization);
  }
};

void expect_error(const Result<Dataset>& result, const std::vector<std::string>& parts) {
  ASSERT_FALSE(result);
  for (const auto& part : parts) EXPECT_THAT(result.error().message, HasSubstr(part));
}

TEST(Idx, PixelsBecomeFractionsAndGetAChannel) {
  const auto data = TinyIdx().load();
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->size(), 3);
  EXPECT_EQ(data->record_shape(), (Shape{1, 1, 2}));
  EXPECT_EQ(data->largest_target(), 2);
  const Batch batch = data->slice(0, 3);
  EXPECT_TRUE(batch.inputs.flatten().allclose(at::tensor({0.F, 1.F, .2F, .4F, .6F, .8F})));
  EXPECT_TRUE(batch.targets.equal(at::tensor({0, 1, 2}, at::kLong)));
}

TEST(Idx, RangesCutBothFiles) {
  const auto data = TinyIdx().load({1, 3});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->size(), 2);
  EXPECT_TRUE(data->slice(0, 1).targets.equal(at::tensor({1}, at::kLong)));
}

TEST(Idx, NormalisationFollowsScaling) {
  const auto data = TinyIdx().load({}, {{0.5}, {0.25}});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_TRUE(data->slice(0, 1).inputs.flatten().allclose(at::tensor({-2.F, 2.F})));
}

TEST(Idx, GzipIsReadToo) {
  TinyIdx tiny;
  const std::string bytes = idx({3, 1, 2}, std::string{"\x00\xff\x33\x66\x99\xcc", 6});
  tiny.images = tiny.folder.path() / "images.gz";
  const gzFile file = gzopen(tiny.images.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
  gzclose(file);
  ASSERT_TRUE(tiny.load());
  std::filesystem::resize_file(tiny.images, std::filesystem::file_size(tiny.images) - 9);
  expect_error(tiny.load(), {"images.gz", "cut short"});
}

TEST(Idx, DamagedFilesAreNamedWithBytesExpectedAndFound) {
  TinyIdx tiny;
  const auto load_images = [&](const std::string& bytes) {
    tiny.images = tiny.folder.write("broken", bytes);
    return tiny.load();
  };
  expect_error(load_images(idx({3, 1, 2}, "\x01\x02")), {"broken", "22 bytes", "18"});
  expect_error(load_images(idx({3, 1, 2}, "0123456789")), {"broken", "22 bytes", "26"});
  expect_error(load_images(idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "01")), {"broken", "too many"});
  expect_error(load_images("PNG and so on"), {"broken", "not an IDX file", "50 4e"});
  expect_error(load_images(std::string(2, '\0')), {"broken", "too few"});
  expect_error(load_images(idx({3, 1, 2}, "012345", '\x0d')), {"broken", "0x0d"});
  expect_error(load_images(std::string("\0\0\x08\xff", 4)), {"broken", "255 dimensions"});
  expect_error(load_images(idx({3}, "012")), {"broken", "images"});
  expect_error(load_images(idx({2, 1, 2}, "0123")), {"2 images", "3 labels"});
  expect_error(load_images(idx({0, 1, 2}, "")), {"0 images", "3 labels"});
}

TEST(Idx, MissingFilesAndBadRanges) {
  TinyIdx tiny;
  expect_error(tiny.load({0, 4}), {"[0, 4)", "3 records"});
  expect_error(tiny.load({3, {}}), {"3 records"});
  expect_error(tiny.load({-1, 2}), {"[-1, 2)"});
  expect_error(tiny.load({}, {{0.5, 0.5}, {1, 1}}), {"2 channels", "1"});
  tiny.labels = tiny.folder.path();
  expect_error(tiny.load(), {"it is a folder"});
  tiny.labels = tiny.folder.path() / "nothing";
  expect_error(tiny.load(), {"nothing", "No such file"});
}

TEST(Cifar, RecordsAndFineLabels) {
  const TemporaryFolder folder;
  std::string record10(3073, '\x33');
  record10[0] = 7;
  const auto cifar10 =
      load_cifar({folder.write("a", record10 + record10), folder.write("b", record10)}, CifarKind::Cifar10, {}, {});
  ASSERT_TRUE(cifar10) << cifar10.error().message;
  EXPECT_EQ(cifar10->size(), 3);
  EXPECT_EQ(cifar10->record_shape(), (Shape{3, 32, 32}));
  EXPECT_EQ(cifar10->largest_target(), 7);
  EXPECT_NEAR(cifar10->slice(2, 3).inputs.mean().item<double>(), 0.2, 1e-6);
  std::string record100(3074, '\0');
  record100[0] = 19;
  record100[1] = 99;
  const auto cifar100 = load_cifar({folder.write("c", record100)}, CifarKind::Cifar100, {}, {});
  ASSERT_TRUE(cifar100) << cifar100.error().message;
  EXPECT_EQ(cifar100->largest_target(), 99);
}

TEST(Cifar, RangesCountThroughAllFiles) {
  const TemporaryFolder folder;
  std::string bytes(3 * 3073, '\0');
  for (std::size_t i = 0; i < 3; ++i) bytes[i * 3073] = static_cast<char>(i);
  const auto file = folder.write("a", bytes);
  const auto data = load_cifar({file, file}, CifarKind::Cifar10, {2, 5}, {});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_TRUE(data->slice(0, 3).targets.equal(at::tensor({2, 0, 1}, at::kLong)));
  expect_error(load_cifar({file, file}, CifarKind::Cifar10, {2, 7}, {}), {"[2, 7)", "6 records"});
}

TEST(Cifar, BadFilesAreNamed) {
  const TemporaryFolder folder;
  std::string record(3073, '\0');
  expect_error(load_cifar({folder.write("cut", record.substr(1))}, CifarKind::Cifar10, {}, {}),
               {"cut", "3072", "3073"});
  record[0] = 10;
  expect_error(load_cifar({folder.write("label", record)}, CifarKind::Cifar10, {}, {}), {"label 10", "0 to 9"});
}

std::string pickled(const c10::IValue& value) {
  const auto bytes = torch::jit::pickle_save(value);
  return {bytes.begin(), bytes.end()};
}

TEST(TensorFile, TuplesAndDicts) {
  const TemporaryFolder folder;
  const at::Tensor inputs = at::arange(12, at::kFloat).view({4, 3});
  const at::Tensor targets = at::tensor({0, 1, 2, 1}, at::kInt);
  const auto tuple =
      load_tensors(folder.write("tuple.pt", pickled(c10::ivalue::Tuple::create(inputs, targets))), {1, 3}, {});
  ASSERT_TRUE(tuple) << tuple.error().message;
  EXPECT_TRUE(tuple->slice(0, 2).inputs.equal(inputs.narrow(0, 1, 2)));
  EXPECT_TRUE(tuple->slice(0, 2).targets.equal(at::tensor({1, 2}, at::kLong)));
  c10::Dict<std::string, at::Tensor> dict;
  dict.insert("inputs", inputs);
  dict.insert("targets", targets);
  const auto named = load_tensors(folder.write("dict.pt", pickled(dict)), {}, {});
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->size(), 4);
}

TEST(TensorFile, NumbersAreTargetsToo) {
  const TemporaryFolder folder;
  const at::Tensor targets = at::tensor({0.5, -1.0}, at::kDouble).view({2, 1});
  const auto data =
      load_tensors(folder.write("numbers.pt", pickled(c10::ivalue::Tuple::create(at::ones({2, 3}), targets))), {}, {});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_FALSE(data->has_classes());
  EXPECT_TRUE(data->slice(0, 2).targets.equal(targets.to(at::kFloat)));
}

TEST(TensorFile, WhatIsNotAPairOfTensorsIsAnError) {
  const TemporaryFolder folder;
  const at::Tensor floats = at::ones({4, 3});
  const auto load = [&](const std::string& bytes) { return load_tensors(folder.write("x.pt", bytes), {}, {}); };
  expect_error(load("rubbish"), {"x.pt", "not a tensor file"});
  expect_error(load(pickled(floats)), {"x.pt", "Tensor", "(inputs, targets)"});
  expect_error(load(pickled(c10::ivalue::Tuple::create(floats, floats.to(at::kComplexFloat)))),
               {"targets", "integers"});
  expect_error(load(pickled(c10::ivalue::Tuple::create(floats, at::zeros({3}, at::kLong)))), {"do not go together"});
  expect_error(load(pickled(c10::ivalue::Tuple::create(floats, at::full({4}, -1, at::kLong)))), {"-1", "negative"});
  const std::string whole = pickled(c10::ivalue::Tuple::create(floats, at::zeros({4}, at::kLong)));
  expect_error(load(whole.substr(0, whole.size() / 2)), {"x.pt", "damaged"});
}

TEST(Shuffle, IsAPermutationThatTheSeedDecides) {
  const at::Tensor order = shuffled_indices(1000, 7);
  EXPECT_TRUE(std::get<0>(order.sort()).equal(at::arange(1000, at::kLong)));
  EXPECT_TRUE(order.equal(shuffled_indices(1000, 7)));
  EXPECT_FALSE(order.equal(shuffled_indices(1000, 8)));
  EXPECT_FALSE(order.equal(at::arange(1000, at::kLong)));
}

}  // namespace
}  // namespace lathe::compression
