#include <lathe/compression/model.hpp>

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>

#include "models.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

fs::path data(const std::string& name) {
  return fs::path(LATHE_TEST_DATA) / name;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string load_error(const fs::path& file) {
  const auto model = load_model(file);
  EXPECT_FALSE(model) << file;
  return model ? std::string() : model.error().message;
}

TEST(Model, LayersInDefinitionOrder) {
  const auto layers = layers_of(test_models::lenet());
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_EQ(layers[0].name, "conv1");
  EXPECT_EQ(layers[0].type, "Conv2d");
  EXPECT_EQ(layers[3].name, "fc2");
  EXPECT_EQ(layers[3].type, "Linear");
  EXPECT_EQ(layers[2].weight.sizes(), (at::IntArrayRef{500, 800}));
}

TEST(Model, LayersOfAPythonModel) {
  for (const char* file : {"residual_scripted.pt", "residual_traced.pt"}) {
    const auto layers = layers_of(load_model(data(file)).value());
    ASSERT_EQ(layers.size(), 15U) << file;
    EXPECT_EQ(layers[2].name, "blocks.0.conv1");
    EXPECT_EQ(layers[2].type, "Conv2d");
    EXPECT_FALSE(layers[2].bias.defined());
    EXPECT_EQ(layers[3].type, "BatchNorm2d");
  }
}

TEST(Model, SavesAndLoads) {
  const test::TemporaryFolder folder;
  const auto model = test_models::lenet();
  const auto file = folder.path() / "model.pt";
  const auto saved = save_model(model, file);
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1)
      << "no temporary file is left";
  auto loaded = load_model(file).value();
  const auto input = test_models::random_input({1, 1, 28, 28});
  EXPECT_TRUE(loaded.forward({input}).toTensor().equal(torch::jit::Module(model).forward({input}).toTensor()));
}

TEST(Model, SavingWhereThereIsNoFolder) {
  const auto saved = save_model(test_models::lenet(), "/nonexistent-folder/model.pt");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, HasSubstr("/nonexistent-folder/model.pt"));
}

TEST(Model, LoadErrorsSayWhatIsWrong) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(load_error(folder.path() / "none.pt"), HasSubstr("no such file"));
  EXPECT_THAT(load_error(folder.path()), HasSubstr("is a directory"));
  EXPECT_THAT(load_error(folder.write("empty.pt", "")), HasSubstr("empty"));
  EXPECT_THAT(load_error(folder.write("text.pt", "import torch\n")),
              AllOf(HasSubstr("text.pt"), HasSubstr("torch.jit.script")));
  EXPECT_THAT(load_error(folder.write("old.pt", "\x80\x02}q\x01.")), HasSubstr("state_dict"));
  EXPECT_THAT(load_error(data("lenet_state_dict.pt")), AllOf(HasSubstr("state_dict"), HasSubstr("torch.jit.script")));
}

TEST(Model, TruncatedAtAnyPlace) {
  const test::TemporaryFolder folder;
  const std::string whole = bytes_of(data("lenet_scripted.pt"));
  for (std::size_t keep = 5; keep < whole.size(); keep += 997) {
    const auto error = load_error(folder.write("cut.pt", whole.substr(0, keep)));
    EXPECT_THAT(error, AllOf(HasSubstr("cut.pt"), HasSubstr("truncated"))) << keep;
  }
}

TEST(Model, DamagedInTheMiddle) {
  const test::TemporaryFolder folder;
  std::string bytes = bytes_of(data("lenet_scripted.pt"));
  const auto pickle = bytes.find("data.pkl");
  bytes.replace(pickle + 100, 60, std::string(60, 'x'));
  EXPECT_THAT(load_error(folder.write("damaged.pt", bytes)), HasSubstr("damaged.pt"));
}

TEST(Model, CopyIsDeepAndTrainable) {
  const auto model = test_models::lenet();
  const at::NoGradGuard no_grad;
  const auto copy = copy_model(model);
  for (const auto& [name, parameter] : copy.named_parameters()) {
    EXPECT_TRUE(parameter.is_leaf()) << name;
    EXPECT_TRUE(parameter.requires_grad()) << name;
    parameter.detach().zero_();
  }
  for (const auto& [name, parameter] : model.named_parameters())
    EXPECT_TRUE(parameter.ne(0).any().item().toBool()) << name;
}

TEST(Model, ModulesAreAllSubmodulesInDefinitionOrder) {
  test_models::Builder build(0);
  const auto activation = build.net("ReLU", {}, "def forward(self, x):\n  return torch.relu(x)\n");
  const auto block = build.net("Block", {{"conv", build.conv2d(1, 2)}, {"relu", activation}},
                               "def forward(self, x):\n  return self.relu.forward(self.conv.forward(x))\n");
  const auto model = build.net("Net", {{"block", block}, {"bn", build.batch_norm2d(2)}},
                               "def forward(self, x):\n  return self.bn.forward(self.block.forward(x))\n");
  std::vector<std::string> found;
  for (const Layer& module : modules_of(model)) found.push_back(module.name + " " + module.type);
  EXPECT_THAT(found, ElementsAre("block Block", "block.conv Conv2d", "block.relu ReLU", "bn BatchNorm2d"));
  EXPECT_FALSE(modules_of(model)[2].weight.defined());
  EXPECT_TRUE(modules_of(model)[1].weight.defined());
}

TEST(Model, NearestNames) {
  EXPECT_THAT(nearest_names("conv3", {"fc1", "conv1", "conv2", "features.0"}), ElementsAre("conv1", "conv2", "fc1"));
  EXPECT_THAT(nearest_names("x", {}), ElementsAre());
}

TEST(Model, DefaultTypesHaveNoBatchNorm) {
  EXPECT_THAT(default_op_types(), ::testing::Contains("Conv2d"));
  EXPECT_THAT(default_op_types(), ::testing::Not(::testing::Contains("BatchNorm2d")));
}

}  // namespace
}  // namespace lathe::compression
