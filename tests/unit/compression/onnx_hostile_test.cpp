// ONNX files that lie, break off or want what they must not have: an error each, never a crash.
#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/onnx_export.hpp>
#include <lathe/compression/onnx_import.hpp>

#include "models.hpp"
#include "onnx_file.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

namespace fs = std::filesystem;
using test_models::OnnxFile;
using test_models::random_input;
using test_models::set;
using testing::AllOf;
using testing::HasSubstr;

class OnnxHostile : public testing::Test {
 protected:
  /// x through a Conv with `w` to y.
  static OnnxFile convolution() {
    OnnxFile model;
    model.input("x", {-1, 3, 8, 8}).output("y", {-1, 4, 6, 6});
    model.initializer("w", random_input({4, 3, 3, 3}));
    model.node("Conv", {"x", "w"}, {"y"}, "first");
    return model;
  }

  [[nodiscard]] std::string error(const OnnxFile& model) const { return error_of(model.bytes()); }

  [[nodiscard]] std::string error_of(const std::string& bytes) const {
    const auto module = import_onnx(folder_.write("model.onnx", bytes));
    return module ? std::string() : module.error().message;
  }

  /// The weight of convolution() moved to an external file.
  [[nodiscard]] std::string external_error(const std::string& location, const std::string& offset = "0",
                                           const std::string& length = "") const {
    OnnxFile model = convolution();
    auto& weight = *model.model.mutable_graph()->mutable_initializer(0);
    weight.clear_raw_data();
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&](const char* key, const std::string& value) {
      auto* entry = weight.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add("location", location);
    add("offset", offset);
    if (!length.empty()) add("length", length);
    return error(model);
  }

  test::TemporaryFolder folder_;
};

constexpr std::size_t kWeightBytes = 4 * 3 * 3 * 3 * sizeof(float);

TEST_F(OnnxHostile, TheModelThatTheOthersAreMadeOfIsFine) {
  EXPECT_EQ(error(convolution()), "");
}

TEST_F(OnnxHostile, UnknownOperatorsAreToldAllAtOnceWithTheirNodes) {
  OnnxFile model = convolution();
  model.node("NonMaxSuppression", {"y"}, {"b"}, "boxes");
  model.node("Magic", {"b"}, {"m"}, "trick").set_domain("com.example");
  EXPECT_THAT(error(model), AllOf(HasSubstr("NonMaxSuppression node `boxes`"), HasSubstr("com.example.Magic")));
}

TEST_F(OnnxHostile, Cycles) {
  OnnxFile model;
  model.input("x", {-1, 4}).output("y", {-1, 4});
  model.node("Add", {"x", "b"}, {"a"}, "one");
  model.node("Relu", {"a"}, {"b"}, "two");
  model.node("Relu", {"b"}, {"y"}, "three");
  EXPECT_THAT(error(model), HasSubstr("cycle through Add node `one`"));
}

TEST_F(OnnxHostile, ValuesThatNobodyMakes) {
  OnnxFile model = convolution();
  model.model.mutable_graph()->mutable_node(0)->set_input(1, "nowhere");
  EXPECT_THAT(error(model), HasSubstr("Conv node `first` reads `nowhere`, which nothing makes"));
  OnnxFile other = convolution();
  other.output("z", {1});
  EXPECT_THAT(error(other), HasSubstr("output `z` is made by nothing"));
}

TEST_F(OnnxHostile, ValuesThatAreMadeTwice) {
  OnnxFile model = convolution();
  model.node("Relu", {"x"}, {"y"});
  EXPECT_THAT(error(model), HasSubstr("`y` is made more than once"));
  OnnxFile twice = convolution();
  twice.initializer("w", at::zeros({1}));
  EXPECT_THAT(error(twice), HasSubstr("initializer `w` is there twice"));
}

TEST_F(OnnxHostile, SizesThatDoNotFitTheBytes) {
  const auto with_dims = [&](std::vector<std::int64_t> dims) {
    OnnxFile model = convolution();
    auto& weight = *model.model.mutable_graph()->mutable_initializer(0);
    weight.clear_dims();
    for (const std::int64_t size : dims) weight.add_dims(size);
    return error(model);
  };
  EXPECT_THAT(with_dims({4, 3, 3, 4}), HasSubstr("tensor `w`: its sizes make 576 bytes, found 432"));
  EXPECT_THAT(with_dims({4, -3, 3, 3}), HasSubstr("size -3 is negative"));
  EXPECT_THAT(with_dims({1 << 30, 1 << 30, 1 << 30}), HasSubstr("its sizes make more than"));
  EXPECT_THAT(with_dims({std::int64_t{1} << 62, 4}), HasSubstr("its sizes make more than"));
  EXPECT_THAT(with_dims({1 << 30, 4}), HasSubstr("bytes, found 432"));
}

TEST_F(OnnxHostile, ElementsThatAreMissingInTypedFields) {
  OnnxFile model = convolution();
  auto& weight = *model.model.mutable_graph()->mutable_initializer(0);
  weight.clear_raw_data();
  weight.add_float_data(1);
  EXPECT_THAT(error(model), HasSubstr("its sizes make 108 elements, found 1"));
}

TEST_F(OnnxHostile, ElementTypesThatAreNotSupported) {
  OnnxFile model = convolution();
  model.model.mutable_graph()->mutable_initializer(0)->set_data_type(onnx::TensorProto::STRING);
  EXPECT_THAT(error(model), HasSubstr("element type 8 is not supported"));
}

TEST_F(OnnxHostile, EveryTruncationOfAFileIsRefusedOrRead) {
  const std::string whole = convolution().bytes();
  for (std::size_t size = 0; size < whole.size(); size += 3) (void)error_of(whole.substr(0, size));
  EXPECT_THAT(error_of(whole.substr(0, whole.size() / 2)), HasSubstr("truncated"));
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
  EXPECT_THAT(error_of("PK\x03\x04 this is another file"), HasSubstr("not an ONNX file"));
}

TEST_F(OnnxHostile, BytesThatChangeNeverCrash) {
  const std::string whole = convolution().bytes();
  for (std::size_t at = 0; at < whole.size(); at += at < 64 || at + 200 > whole.size() ? 1 : 37) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x5b);
    (void)error_of(changed);
  }
}

TEST_F(OnnxHostile, ExternalDataOutsideTheFolder) {
  test::TemporaryFolder elsewhere;
  const auto secret = elsewhere.write("secret", std::string(kWeightBytes, 'x'));
  EXPECT_THAT(external_error("../secret"), HasSubstr("not inside the model's folder"));
  EXPECT_THAT(external_error(secret.string()), HasSubstr("not inside the model's folder"));
  EXPECT_THAT(external_error("a/../../secret"), HasSubstr("not inside the model's folder"));
  EXPECT_THAT(external_error(""), HasSubstr("not inside the model's folder"));
  fs::create_symlink(secret, folder_.path() / "link");
  EXPECT_THAT(external_error("link"), HasSubstr("leads out of the model's folder"));
  fs::create_directory_symlink(elsewhere.path(), folder_.path() / "folder");
  EXPECT_THAT(external_error("folder/secret"), HasSubstr("leads out of the model's folder"));
}

TEST_F(OnnxHostile, ExternalDataThatIsNotThere) {
  (void)folder_.write("data", std::string(kWeightBytes, '\0'));
  EXPECT_EQ(external_error("data"), "");
  EXPECT_THAT(external_error("nothing"), HasSubstr("external file `nothing` is not there"));
  EXPECT_THAT(external_error("data", "1"), HasSubstr("432 bytes at 1 are not in"));
  EXPECT_THAT(external_error("data", "9223372036854775807"), HasSubstr("are not in"));
  EXPECT_THAT(external_error("data", "-1"), HasSubstr("external offset is `-1`"));
  EXPECT_THAT(external_error("data", "many"), HasSubstr("external offset is `many`"));
  EXPECT_THAT(external_error("data", "0", "8"), HasSubstr("its external length is 8"));
  EXPECT_THAT(external_error("."), HasSubstr("is not there"));
}

TEST_F(OnnxHostile, AttributesOfAnotherTypeOrCount) {
  OnnxFile model = convolution();
  set(*model.model.mutable_graph()->mutable_node(0), "strides", "wide");
  EXPECT_THAT(error(model), HasSubstr("Conv node `first`: attribute `strides` is no list of integers"));
  OnnxFile counted = convolution();
  set(*counted.model.mutable_graph()->mutable_node(0), "strides", std::vector<std::int64_t>{1, 1, 1});
  EXPECT_THAT(error(counted), HasSubstr("3 numbers; expected 2"));
  OnnxFile zero = convolution();
  set(*zero.model.mutable_graph()->mutable_node(0), "strides", std::vector<std::int64_t>{0, 1});
  EXPECT_THAT(error(zero), HasSubstr("must be positive"));
}

TEST_F(OnnxHostile, InputsThatAreMissing) {
  OnnxFile model = convolution();
  model.model.mutable_graph()->mutable_node(0)->mutable_input()->RemoveLast();
  EXPECT_THAT(error(model), HasSubstr("Conv node `first`: input 1 is missing"));
  OnnxFile none = convolution();
  none.model.mutable_graph()->mutable_node(0)->clear_input();
  EXPECT_THAT(error(none), HasSubstr("is missing"));
  OnnxFile without = convolution();
  without.model.mutable_graph()->clear_input();
  EXPECT_NE(error(without), "");
}

TEST_F(OnnxHostile, RequestsForEnormousTensorsAreNotMetWhileReading) {
  OnnxFile model;
  model.input("x", {-1, 4}).output("y", {-1, 4});
  model.initializer("shape", at::tensor({std::int64_t{1} << 40, std::int64_t{1} << 20}, at::kLong));
  model.initializer("one", at::ones({1, 1}));
  model.node("Expand", {"one", "shape"}, {"huge"});
  model.node("Add", {"x", "huge"}, {"y"});
  (void)error(model);  // the model may be refused or fail when it runs; it takes no memory here
}

TEST_F(OnnxHostile, OpsetsOutOfRangeAndGraphsInside) {
  OnnxFile model = convolution();
  model.model.mutable_opset_import(0)->set_version(99);
  EXPECT_THAT(error(model), HasSubstr("opset is 99; expected 7 to 17"));
  OnnxFile branch = convolution();
  branch.node("If", {"y"}, {"z"}, "branch");
  EXPECT_THAT(error(branch), HasSubstr("If node `branch`: operator If is not supported"));
}

TEST_F(OnnxHostile, NamesAreNotRunAsCode) {
  OnnxFile model;
  model.input("x\"); import os", {-1, 4}).output("y\n  return x", {-1, 3});
  model.initializer("w\"))\n  print(1", random_input({3, 4}));
  set(model.node("Gemm", {"x\"); import os", "w\"))\n  print(1"}, {"y\n  return x"}, "name\" \\ '"), "transB", 1);
  EXPECT_EQ(error(model), "");
}

TEST_F(OnnxHostile, AFileThatIsNotThere) {
  const auto module = import_onnx(folder_.path() / "none.onnx");
  ASSERT_FALSE(module);
  EXPECT_THAT(module.error().message, AllOf(HasSubstr("none.onnx"), HasSubstr("no such file")));
  EXPECT_THAT(import_onnx(folder_.path()).error().message, HasSubstr("is no file"));
}

}  // namespace
}  // namespace lathe::compression
