#include "classifier/program.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include <lathe/compression/model.hpp>

#include "lenet/lenet.hpp"
#include "temporary_folder.hpp"

namespace lathe::examples {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class ExampleProgram : public testing::Test {
 protected:
  /// Few records, so that training takes no time.
  ExampleProgram() : data_(draw_data(folder_.path() / "data", 0, false)) {
    data_.train.range = {0, 200};
    data_.test.range = {0, 50};
    options_.directory = folder_.path();
    options_.model = folder_.path() / "model.pt";
  }

  int make(std::uint64_t seed = 0) {
    Recipe recipe;
    recipe.phases = {{1, 0.02}, {1, 0.002}};
    recipe.seed = seed;
    return make_model(
        "test-example", options_, [&] { return make_lenet(seed); }, data_, recipe);
  }

  test::TemporaryFolder folder_;
  TrainAndTest data_;
  ProgramOptions options_;
};

TEST_F(ExampleProgram, TellsEveryEpochOfAllPhasesAndSaves) {
  testing::internal::CaptureStdout();
  ASSERT_EQ(make(), 0);
  const std::string told = testing::internal::GetCapturedStdout();
  EXPECT_NE(told.find("epoch 1/2: training loss"), std::string::npos) << told;
  EXPECT_NE(told.find("epoch 2/2: training loss"), std::string::npos) << told;
  const auto model = compression::load_model(options_.model);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_FALSE(model->is_training());
}

TEST_F(ExampleProgram, MakesTheSameModelFromTheSameSeed) {
  ASSERT_EQ(make(1), 0);
  const auto first = compression::layers_of(compression::load_model(options_.model).value());
  ASSERT_EQ(make(1), 0);
  const auto again = compression::layers_of(compression::load_model(options_.model).value());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(first[i].weight.equal(again[i].weight)) << first[i].name;
}

TEST_F(ExampleProgram, KeepsAModelThatIsThereWhenAsked) {
  (void)folder_.write("model.pt", "kept");
  options_.if_missing = true;
  EXPECT_EQ(make(), 0);
  EXPECT_EQ(text_of(options_.model), "kept");
}

TEST_F(ExampleProgram, TellsWhatIsWrongWithTheData) {
  (void)folder_.write("data/train-labels-idx1-ubyte", "not IDX");
  testing::internal::CaptureStderr();
  EXPECT_EQ(make(), 2);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("test-example: error: "), std::string::npos) << told;
  EXPECT_NE(told.find("train-labels-idx1-ubyte"), std::string::npos) << told;
}

TEST_F(ExampleProgram, CopiesExperimentsButNoOtherFiles) {
  fs::create_directories(folder_.path() / "source");
  (void)folder_.write("source/a.yml", "new");
  (void)folder_.write("source/model.pt", "not copied");
  const fs::path target = folder_.path() / "target";
  copy_experiments(folder_.path() / "source", target, false);
  EXPECT_EQ(text_of(target / "a.yml"), "new");
  EXPECT_FALSE(fs::exists(target / "model.pt"));
  (void)folder_.write("target/a.yml", "edited");
  copy_experiments(folder_.path() / "source", target, true);
  EXPECT_EQ(text_of(target / "a.yml"), "edited");
  copy_experiments(folder_.path() / "source", target, false);
  EXPECT_EQ(text_of(target / "a.yml"), "new");
  copy_experiments(target, target, false);
  EXPECT_EQ(text_of(target / "a.yml"), "new");
}

}  // namespace
}  // namespace lathe::examples
