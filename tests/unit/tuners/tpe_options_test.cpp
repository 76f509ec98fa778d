#include "tpe_options.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;

TEST(TpeOptions, KeepDefaultsForWhatIsAbsent) {
  for (const ordered_json& args : {ordered_json::object(), ordered_json{{"tpe_args", nullptr}},
                                   ordered_json{{"tpe_args", ordered_json::object()}}}) {
    const TpeOptions options = parse_tpe_options(args);
    EXPECT_EQ(options.liar, Liar::Bad);
    EXPECT_EQ(options.startup, 20U);
    EXPECT_EQ(options.candidates, 24U);
    EXPECT_EQ(options.gamma, std::nullopt);
  }
}

TEST(TpeOptions, ReadWhatIsGiven) {
  const TpeOptions options = parse_tpe_options({{"optimize_mode", "maximize"},
                                                {"tpe_args",
                                                 {{"constant_liar_type", "worst"},
                                                  {"n_startup_jobs", 5},
                                                  {"n_ei_candidates", 100},
                                                  {"linear_forgetting", 30},
                                                  {"prior_weight", 0.5},
                                                  {"gamma", 0.3}}}});
  EXPECT_EQ(options.liar, Liar::Worst);
  EXPECT_EQ(options.startup, 5U);
  EXPECT_EQ(options.candidates, 100U);
  EXPECT_EQ(options.forgetting, 30U);
  EXPECT_EQ(options.prior_weight, 0.5);
  EXPECT_EQ(options.gamma, 0.3);
}

TEST(TpeOptions, TakeNullForNoLiar) {
  EXPECT_EQ(parse_tpe_options({{"tpe_args", {{"constant_liar_type", nullptr}}}}).liar, Liar::Ignore);
}

TEST(TpeOptions, RefuseBadValuesByName) {
  const std::vector<std::pair<std::string, ordered_json>> bad{{"constant_liar_type", "cautious"},
                                                              {"constant_liar_type", 3},
                                                              {"n_startup_jobs", -1},
                                                              {"n_startup_jobs", 2.5},
                                                              {"n_ei_candidates", 0},
                                                              {"linear_forgetting", "many"},
                                                              {"prior_weight", 0},
                                                              {"gamma", -0.1}};
  for (const auto& [key, value] : bad) {
    try {
      (void)parse_tpe_options({{"tpe_args", {{key, value}}}});
      ADD_FAILURE() << key << " " << value;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW((void)parse_tpe_options({{"tpe_args", 3}}), std::invalid_argument);
}

TEST(TpeOptions, CountTheGood) {
  TpeOptions options;
  EXPECT_EQ(options.good_of(0), 0U);
  EXPECT_EQ(options.good_of(1), 1U);
  EXPECT_EQ(options.good_of(20), 3U);
  EXPECT_EQ(options.good_of(10000), 25U);
  options.gamma = 0.25;
  EXPECT_EQ(options.good_of(100), 3U);  // ceil(0.25 * 10)
  options.gamma = 50;
  EXPECT_EQ(options.good_of(4), 4U);
}

}  // namespace
}  // namespace lathe::tuners
