// Cases with known answers: which filters are pruned, and the shapes that must come out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/speedup.hpp>

#include "masks.hpp"
#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::filter_masks;
using test_models::random_input;
using test_models::weight_shapes;
using ::testing::HasSubstr;
using torch::jit::Module;

constexpr double kTolerance = 1e-6;

/// conv 1→6 k5, pool, conv 6→16 k5, pool, fc 256-120-84-10; input 1 x 28 x 28.
Module classic_lenet(const std::string& flatten = "torch.flatten(x, 1)") {
  Builder build(3);
  auto conv1 = build.conv2d(1, 6, {.kernel = 5});
  auto conv2 = build.conv2d(6, 16, {.kernel = 5});
  auto fc1 = build.linear(256, 120);
  auto fc2 = build.linear(120, 84);
  auto fc3 = build.linear(84, 10);
  return build.net("Lenet", {{"conv1", conv1}, {"conv2", conv2}, {"fc1", fc1}, {"fc2", fc2}, {"fc3", fc3}},
                   "def forward(self, x):\n"
                   "  x = torch.max_pool2d(torch.relu(self.conv1.forward(x)), [2, 2])\n"
                   "  x = torch.max_pool2d(torch.relu(self.conv2.forward(x)), [2, 2])\n"
                   "  x = " +
                       flatten +
                       "\n"
                       "  x = torch.relu(self.fc2.forward(torch.relu(self.fc1.forward(x))))\n"
                       "  return self.fc3.forward(x)\n");
}

Result<SpeedupReport> run(const Module& model, const std::map<std::string, std::vector<std::int64_t>>& pruned,
                          const std::vector<std::int64_t>& input) {
  return speed_up(model, filter_masks(model, pruned), random_input(input), kTolerance);
}

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back(i);
  return indices;
}

TEST(SpeedupConformance, D63FirstConvolution) {
  const auto report = run(classic_lenet(), {{"conv1", {0, 1, 2}}}, {4, 1, 28, 28});
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("conv1"), (Shape{3, 1, 5, 5}));
  EXPECT_EQ(shapes.at("conv2"), (Shape{16, 3, 5, 5}));
  EXPECT_EQ(shapes.at("fc1"), (Shape{120, 256}));
}

TEST(SpeedupConformance, D64D66ConvolutionBeforeFlatten) {
  for (const char* flatten :
       {"torch.flatten(x, 1)", "x.view([-1, 256])", "x.view([x.size(0), -1])", "x.reshape([x.size(0), 256])"}) {
    const auto report = run(classic_lenet(flatten), {{"conv2", {0, 5}}}, {4, 1, 28, 28});
    ASSERT_TRUE(report) << flatten << ": " << report.error().message;
    const auto shapes = weight_shapes(report->model);
    EXPECT_EQ(shapes.at("conv2"), (Shape{14, 6, 5, 5}));
    EXPECT_EQ(shapes.at("fc1"), (Shape{120, 224}));
  }
}

TEST(SpeedupConformance, D65HalfOfAllButTheOutput) {
  const auto report =
      run(classic_lenet(), {{"conv1", first(3)}, {"conv2", first(8)}, {"fc1", first(60)}, {"fc2", first(42)}},
          {4, 1, 28, 28});
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("conv1"), (Shape{3, 1, 5, 5}));
  EXPECT_EQ(shapes.at("conv2"), (Shape{8, 3, 5, 5}));
  EXPECT_EQ(shapes.at("fc1"), (Shape{60, 128}));
  EXPECT_EQ(shapes.at("fc2"), (Shape{42, 60}));
  EXPECT_EQ(shapes.at("fc3"), (Shape{10, 42}));
}

TEST(SpeedupConformance, SeedLenetHalved) {
  const auto model = test_models::lenet();
  const auto report = run(model, {{"conv1", first(10)}, {"conv2", first(25)}, {"fc1", first(250)}}, {4, 1, 28, 28});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(count_parameters(model), 431080);
  EXPECT_EQ(count_parameters(report->model), 109295);
  ASSERT_EQ(report->layers.size(), 4U);
  EXPECT_EQ(report->layers[2].layer, "fc1");
  EXPECT_EQ(report->layers[2].type, "Linear");
  EXPECT_EQ(report->layers[2].before, (Shape{500, 800}));
  EXPECT_EQ(report->layers[2].after, (Shape{250, 400}));
  EXPECT_EQ(weight_shapes(report->model).at("fc2"), (Shape{10, 250}));
}

TEST(SpeedupConformance, D67ResidualKeepsWhatEitherBranchKeeps) {
  Builder build(5);
  const test_models::ConvOptions padded{.kernel = 3, .padding = 1};
  auto c0 = build.conv2d(3, 8, padded);
  auto c1 = build.conv2d(8, 8, padded);
  auto c2 = build.conv2d(8, 8, padded);
  auto fc = build.linear(8, 2);
  const auto model = build.net("Net", {{"c0", c0}, {"c1", c1}, {"c2", c2}, {"fc", fc}},
                               "def forward(self, x):\n"
                               "  a = torch.relu(self.c0.forward(x))\n"
                               "  b = self.c2.forward(torch.relu(self.c1.forward(a)))\n"
                               "  return self.fc.forward(torch.mean(torch.relu(a + b), [2, 3]))\n");
  const auto report = run(model, {{"c0", {0, 1, 2}}, {"c2", {1, 2, 3}}}, {2, 3, 8, 8});
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("c0"), (Shape{6, 3, 3, 3}));
  EXPECT_EQ(shapes.at("c1"), (Shape{8, 6, 3, 3}));
  EXPECT_EQ(shapes.at("c2"), (Shape{6, 8, 3, 3}));
  EXPECT_EQ(shapes.at("fc"), (Shape{2, 6}));
}

TEST(SpeedupConformance, D68Concatenation) {
  Builder build(6);
  auto a = build.conv2d(3, 4, {.kernel = 1});
  auto b = build.conv2d(3, 6, {.kernel = 1});
  auto c = build.conv2d(10, 5, {.kernel = 1});
  const auto model = build.net("Net", {{"a", a}, {"b", b}, {"c", c}},
                               "def forward(self, x):\n"
                               "  return self.c.forward(torch.cat([self.a.forward(x), self.b.forward(x)], 1))\n");
  const auto report = run(model, {{"a", {1}}, {"b", {0, 5}}}, {2, 3, 4, 4});
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("a"), (Shape{3, 3, 1, 1}));
  EXPECT_EQ(shapes.at("b"), (Shape{4, 3, 1, 1}));
  EXPECT_EQ(shapes.at("c"), (Shape{5, 7, 1, 1}));
}

/// p 3→8, bn, relu, depthwise 8, bn, relu, q 8→4; `bias` fills the depthwise layer's bias.
Module depthwise_net(double bias, std::int64_t q_padding = 0, bool random_norm = false) {
  Builder build(7);
  auto p = build.conv2d(3, 8, {.kernel = 1});
  auto bn1 = build.batch_norm2d(8, random_norm);
  auto dw = build.conv2d(8, 8, {.kernel = 3, .padding = 1, .groups = 8});
  dw.attr("bias").toTensor().detach().fill_(bias);
  auto bn2 = build.batch_norm2d(8, random_norm);
  auto q = build.conv2d(8, 4, {.kernel = 1 + 2 * q_padding, .padding = q_padding});
  return build.net("Net", {{"p", p}, {"bn1", bn1}, {"dw", dw}, {"bn2", bn2}, {"q", q}},
                   "def forward(self, x):\n"
                   "  x = torch.relu(self.bn1.forward(self.p.forward(x)))\n"
                   "  x = torch.relu(self.bn2.forward(self.dw.forward(x)))\n"
                   "  return self.q.forward(x)\n");
}

void expect_cut_to_six(const Module& model) {
  const auto shapes = weight_shapes(model);
  EXPECT_EQ(shapes.at("p"), (Shape{6, 3, 1, 1}));
  EXPECT_EQ(shapes.at("dw"), (Shape{6, 1, 3, 3}));
  EXPECT_EQ(shapes.at("bn1"), (Shape{6}));
  EXPECT_EQ(shapes.at("q")[1], 6);
}

TEST(SpeedupConformance, D69Depthwise) {
  const auto report = run(depthwise_net(0), {{"p", {0, 3}}}, {2, 3, 6, 6});
  ASSERT_TRUE(report) << report.error().message;
  expect_cut_to_six(report->model);
}

TEST(SpeedupConformance, D73DepthwiseBiasIsFoldedIntoTheNextLayer) {
  const auto report = run(depthwise_net(1), {{"p", {0, 3}}}, {2, 3, 6, 6});
  ASSERT_TRUE(report) << report.error().message;
  expect_cut_to_six(report->model);
  EXPECT_LE(report->max_difference, kTolerance);
}

TEST(SpeedupConformance, ConstantBeforePaddingIsKeptAndReported) {
  const auto report = run(depthwise_net(1, 1), {{"p", {0, 3}}}, {2, 3, 6, 6});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model).at("p"), (Shape{8, 3, 1, 1}));
  ASSERT_EQ(report->kept.size(), 1U);
  EXPECT_EQ(report->kept[0].channels, 2);
  EXPECT_THAT(report->kept[0].place, HasSubstr("`q`"));
  EXPECT_THAT(report->kept[0].reason, HasSubstr("padding"));
}

TEST(SpeedupConformance, ExtendedMasksLetEverythingGo) {
  const auto model = depthwise_net(1, 1, true);
  const auto example = random_input({2, 3, 6, 6});
  const auto masks = extend_masks(model, filter_masks(model, {{"p", {0, 3}}}), example);
  ASSERT_TRUE(masks) << masks.error().message;
  EXPECT_EQ(masks->size(), 4U);
  EXPECT_EQ(masks->at("bn1").bias.sum().item().toDouble(), 6.0);
  const auto report = speed_up(model, *masks, example, kTolerance);
  ASSERT_TRUE(report) << report.error().message;
  expect_cut_to_six(report->model);
  EXPECT_TRUE(report->kept.empty());
}

TEST(SpeedupConformance, D72EmptyLayer) {
  const auto report = run(classic_lenet(), {{"conv1", first(6)}}, {1, 1, 28, 28});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("`conv1` would have no channel left"));
}

/// p 3→8, g 8→8 in two groups, q 8→4.
Module grouped_net() {
  Builder build(8);
  auto p = build.conv2d(3, 8, {.kernel = 1});
  auto g = build.conv2d(8, 8, {.kernel = 3, .padding = 1, .groups = 2});
  auto q = build.conv2d(8, 4, {.kernel = 1});
  return build.net("Net", {{"p", p}, {"g", g}, {"q", q}},
                   "def forward(self, x):\n"
                   "  x = torch.relu(self.g.forward(torch.relu(self.p.forward(x))))\n"
                   "  return self.q.forward(x)\n");
}

TEST(SpeedupConformance, D70GroupsLoseTheSameNumber) {
  const auto report = run(grouped_net(), {{"g", {0, 1, 4}}}, {2, 3, 6, 6});
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("g"), (Shape{6, 4, 3, 3}));
  EXPECT_EQ(shapes.at("q")[1], 6);
  ASSERT_EQ(report->kept.size(), 1U);
  EXPECT_EQ(report->kept[0].channels, 1);
  EXPECT_THAT(report->kept[0].place, HasSubstr("`g`"));
  // The first of each group goes: 0 and 4, so filter 1 is the first that is left.
  const auto before = grouped_net().attr("g").toModule().attr("weight").toTensor();
  const auto after = report->model.attr("g").toModule().attr("weight").toTensor();
  EXPECT_EQ(after.select(0, 0).abs().sum().item().toDouble(), 0.0) << "filter 1 is masked";
  EXPECT_TRUE(after.select(0, 1).equal(before.select(0, 2)));
  EXPECT_TRUE(after.select(0, 3).equal(before.select(0, 5)));
}

TEST(SpeedupConformance, D71AWholeGroupGoes) {
  const auto report = run(grouped_net(), {{"p", first(4)}, {"g", first(4)}}, {2, 3, 6, 6});
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("p")[0], 4);
  EXPECT_EQ(shapes.at("g"), (Shape{4, 4, 3, 3}));
  EXPECT_EQ(shapes.at("q")[1], 4);
  EXPECT_TRUE(report->kept.empty());
}

}  // namespace
}  // namespace lathe::compression
