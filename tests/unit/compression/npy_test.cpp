#include <lathe/compression/npy.hpp>

#include <cstring>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/byte_file.hpp"
#include "data/npy_header.hpp"
#include "data/random.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

using lathe::test::TemporaryFolder;
using ::testing::HasSubstr;

/// As numpy.save writes it: the header is filled up with spaces to 64 bytes.
std::string npy(const std::string& descr, const std::string& shape, const std::string& values, char version = 1) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape);
  const std::size_t start = version == 1 ? 10 : 12;
  header.append(63 - (start + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes = std::string("\x93NUMPY") + version + '\0';
  for (std::size_t i = 0; i < start - 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return bytes + header + values;
}

template <class T>
std::string packed(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

struct Files {
  TemporaryFolder folder;
  std::string inputs = npy("<f4", "(2, 3)", packed<float>({0, 1, 2, 3, 4, 5}));
  std::string targets = npy("<i8", "(2,)", packed<std::int64_t>({0, 2}));

  [[nodiscard]] Result<Dataset> load(const Records& records = {}) const {
    return load_npy(folder.write("x.npy", inputs), folder.write("y.npy", targets), records, {});
  }
};

void expect_error(const Result<Dataset>& result, const std::vector<std::string>& parts) {
  ASSERT_FALSE(result);
  for (const auto& part : parts) EXPECT_THAT(result.error().message, HasSubstr(part));
}

TEST(Npy, ReadsInputsAndClasses) {
  const auto data = Files().load();
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->record_shape(), (Shape{3}));
  EXPECT_TRUE(data->has_classes());
  EXPECT_EQ(data->largest_target(), 2);
  EXPECT_TRUE(data->slice(0, 2).inputs.equal(at::arange(6, at::kFloat).view({2, 3})));
  EXPECT_TRUE(Files().load({1, 2})->slice(0, 1).targets.equal(at::tensor({2}, at::kLong)));
}

TEST(Npy, ReadsEveryTypeAndVersion) {
  Files files;
  const auto expect_values = [&](const std::string& descr, const std::string& values, char version) {
    files.inputs = npy(descr, "(2, 3)", values, version);
    const auto data = files.load();
    ASSERT_TRUE(data) << descr << data.error().message;
    EXPECT_TRUE(data->slice(0, 2).inputs.equal(at::arange(6, at::kFloat).view({2, 3}))) << descr;
  };
  expect_values("|i1", packed<std::int8_t>({0, 1, 2, 3, 4, 5}), 1);
  expect_values("<i2", packed<std::int16_t>({0, 1, 2, 3, 4, 5}), 2);
  expect_values("<i4", packed<std::int32_t>({0, 1, 2, 3, 4, 5}), 3);
  expect_values("<i8", packed<std::int64_t>({0, 1, 2, 3, 4, 5}), 1);
  expect_values("<f8", packed<double>({0, 1, 2, 3, 4, 5}), 1);
  expect_values("<f2", packed<std::uint16_t>({0, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500}), 1);
  files.inputs = npy("|u1", "(2, 3)", std::string("\x00\xff\x33\x66\x99\xcc", 6));
  EXPECT_TRUE(files.load()->slice(0, 2).inputs.flatten().allclose(at::tensor({0.F, 1.F, .2F, .4F, .6F, .8F})));
}

TEST(Npy, NumbersAreTargetsToo) {
  Files files;
  files.targets = npy("<f8", "(2, 1)", packed<double>({0.5, -2}));
  const auto data = files.load();
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_FALSE(data->has_classes());
  EXPECT_TRUE(data->slice(0, 2).targets.equal(at::tensor({0.5F, -2.F}).view({2, 1})));
  files.targets = npy("<i4", "(2, 1)", packed<std::int32_t>({1, 0}));
  EXPECT_TRUE(files.load()->slice(0, 2).targets.equal(at::tensor({1, 0}, at::kLong)));
  files.targets = npy("<f8", "(2,)", packed<double>({0.5, std::numeric_limits<double>::quiet_NaN()}));
  expect_error(files.load(), {"NaN"});
}

TEST(Npy, LargeFilesAreMapped) {
  const TemporaryFolder folder;
  const std::int64_t records = 5000;
  const auto large =
      folder.write("large.npy", npy("|u1", fmt::format("({}, 4096)", records), std::string(records * 4096, '\xFF')));
  const auto bytes = FileBytes::open(large);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_TRUE((*bytes)->is_mapped());
  const auto data = load_npy(
      large, folder.write("y.npy", npy("|u1", fmt::format("({},)", records), std::string(records, '\1'))), {}, {});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_TRUE(data->slice(records - 2, records).inputs.eq(1).all().item<bool>());
}

TEST(Npy, WhatDoesNotFitIsNamed) {
  Files files;
  const std::string good = files.inputs;
  const auto load = [&](const std::string& bytes) {
    files.inputs = bytes;
    return files.load();
  };
  const std::string six = packed<float>({0, 1, 2, 3, 4, 5});
  expect_error(load("rubbish"), {"x.npy", "not a NumPy file"});
  expect_error(load(good.substr(0, 9)), {"x.npy", "9 bytes are too few"});
  expect_error(load(npy("<f4", "(2, 3)", six, 4)), {"version 4.0"});
  expect_error(load(npy(">f4", "(2, 3)", six)), {"type '>f4'"});
  expect_error(load(npy("<c8", "(2, 3)", six)), {"type '<c8'"});
  expect_error(load(npy("|O", "(2, 3)", six)), {"type '|O'"});
  expect_error(load(npy("<f4", "(2, 4)", six)), {"x.npy", "[2, 4]", "32 bytes", "has 24"});
  expect_error(load(npy("<f4", "(2, 2)", six)), {"16 bytes", "has 24"});
  expect_error(load(npy("<f4", "(9223372036854775807, 9223372036854775807)", six)), {"too many"});
  expect_error(load(npy("<f4", "(99999999999999999999, 1)", six)), {"damaged"});
  expect_error(load(npy("<f4", "(-2, 3)", six)), {"damaged"});
  expect_error(load(npy("<f4", "(2)", six)), {"damaged"});
  expect_error(load(npy("<f4", "(6,)", six)), {"shape [6]", "[N, …]"});
  expect_error(load(npy("<f4", "(0, 3)", "")), {"2"});
  std::string fortran = good;
  fortran.replace(fortran.find("False"), 5, "True ");
  expect_error(load(fortran), {"Fortran order"});
  std::string twice = good;
  twice.replace(twice.find("fortran_order"), 13, "descr': '<f4'");
  expect_error(load(twice), {"damaged"});
  files.inputs = good;
  files.targets = npy("<i8", "(3,)", packed<std::int64_t>({0, 1, 2}));
  expect_error(files.load(), {"x.npy has 2 records", "y.npy has 3"});
  files.targets = npy("<i8", "(2,)", packed<std::int64_t>({0, -1}));
  expect_error(files.load(), {"-1 is negative"});
}

TEST(Npy, HeadersSurviveMutations) {
  const std::string good = npy("<f4", "(2, 3)", packed<float>({0, 1, 2, 3, 4, 5}));
  SplitMix random(3);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (std::uint64_t edits = 1 + draw_below(3, random); edits > 0; --edits) {
      constexpr std::string_view interesting = "{}(),:'\" 0123456789<|>fiu\n\xFF";
      const char byte = draw_below(2, random) == 0 ? static_cast<char>(random())
                                                   : interesting[draw_below(interesting.size(), random)];
      bytes[draw_below(bytes.size(), random)] = byte;
    }
    if (draw_below(4, random) == 0) bytes.resize(draw_below(bytes.size(), random));
    const auto header = read_npy_header({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if (!header) {
      ++refused;
      continue;
    }
    std::size_t values = c10::elementSize(header->type);
    for (const std::int64_t size : header->shape) values *= static_cast<std::size_t>(size);
    ASSERT_EQ(header->bytes + values, bytes.size());
  }
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace lathe::compression
