#include "tuner_section.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document.hpp"

namespace lathe::proto {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  TunerConfig config;
  std::string errors;
};

Outcome read(std::string_view yaml, std::optional<ObjectiveMetric> objective = std::nullopt) {
  const auto document = parse_document(yaml);
  EXPECT_TRUE(document) << yaml;
  Problems problems("");
  const Value value(document->root, &document->origin, Path("tuner"));
  TunerConfig config = read_tuner(value, objective, problems);
  return {std::move(config), to_string(problems.take_errors())};
}

TEST(TunerSection, KnowsTheTunersWhateverTheirCase) {
  EXPECT_EQ(read("name: TPE").config.kind, TunerKind::Tpe);
  EXPECT_EQ(read("name: tpe").config.kind, TunerKind::Tpe);
  EXPECT_EQ(read("name: random").config.kind, TunerKind::Random);
  EXPECT_EQ(read("{Name: ANNEAL}").config.kind, TunerKind::Anneal);
}

TEST(TunerSection, HasNnisDefaults) {
  const auto [config, errors] = read("name: TPE");
  EXPECT_EQ(errors, "");
  EXPECT_EQ(config.optimize_mode, OptimizeMode::Minimize);
  EXPECT_FALSE(config.seed);
  EXPECT_EQ(config.class_args.dump(), R"({"optimize_mode":"minimize"})");
}

TEST(TunerSection, MakesTheArgumentsOfTpeCanonical) {
  const auto [config, errors] = read(
      "{name: TPE, classArgs: {OptimizeMode: MAXIMIZE, seed: 7, tpeArgs: {constantLiarType: Worst, n_startup_jobs: 5, "
      "n_ei_candidates: 1e2, linear_forgetting: 30, prior_weight: 0.5, gamma: 0.1}}}");
  EXPECT_EQ(errors, "");
  EXPECT_EQ(config.optimize_mode, OptimizeMode::Maximize);
  EXPECT_EQ(config.seed, 7U);
  EXPECT_EQ(
      config.class_args.dump(),
      R"({"tpe_args":{"constant_liar_type":"worst","n_startup_jobs":5,"n_ei_candidates":100,"linear_forgetting":30,)"
      R"("prior_weight":0.5,"gamma":0.1},"optimize_mode":"maximize","seed":7})");
}

TEST(TunerSection, ReadsNoLiarInBothSpellings) {
  for (const char* none : {"null", "none", "None"}) {
    const auto [config, errors] =
        read(std::string("{name: TPE, classArgs: {tpe_args: {constant_liar_type: ") + none + "}}}");
    EXPECT_EQ(errors, "") << none;
    EXPECT_TRUE(config.class_args["tpe_args"].at("constant_liar_type").is_null()) << none;
  }
}

TEST(TunerSection, ReadsAnnealAndRandom) {
  const auto anneal = read("{name: Anneal, classArgs: {parallel_optimize: true, constant_liar_type: mean}}");
  EXPECT_EQ(anneal.errors, "");
  EXPECT_EQ(anneal.config.class_args.dump(),
            R"({"parallel_optimize":true,"constant_liar_type":"mean","optimize_mode":"minimize"})");
  EXPECT_EQ(read("{name: Random, classArgs: {seed: 18446744073709551615}}").config.seed, UINT64_MAX);
}

TEST(TunerSection, FollowsTheObjective) {
  EXPECT_EQ(read("name: TPE", ObjectiveMetric::Accuracy).config.optimize_mode, OptimizeMode::Maximize);
  EXPECT_EQ(read("name: TPE", ObjectiveMetric::LatencyMs).config.optimize_mode, OptimizeMode::Minimize);
  EXPECT_EQ(read("{name: TPE, classArgs: {optimize_mode: maximize}}", ObjectiveMetric::Speedup).errors, "");
  const auto wrong = read("name: TPE\nclassArgs:\n  optimize_mode: minimize\n", ObjectiveMetric::Accuracy);
  EXPECT_EQ(wrong.errors,
            "line 3: tuner.classArgs.optimize_mode: \"minimize\" contradicts compression.objective, whose metric "
            "accuracy is to "
            "maximize; expected \"maximize\", or nothing");
}

TEST(TunerSection, WritesWhatItReads) {
  const auto first = read("{name: tpe, classArgs: {seed: 3, tpe_args: {constant_liar_type: none, gamma: 0.3}}}").config;
  const auto second = read(tuner_json(first).dump()).config;
  EXPECT_EQ(tuner_json(second).dump(), tuner_json(first).dump());
  EXPECT_EQ(tuner_json(first)["name"], "TPE");
}

struct BadTuner {
  const char* yaml;
  const char* message;
};

class WrongTuner : public ::testing::TestWithParam<BadTuner> {};

TEST_P(WrongTuner, IsRefused) {
  EXPECT_THAT(read(GetParam().yaml).errors, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Proto, WrongTuner,
    ::testing::Values(
        BadTuner{"TPE", "tuner: expected an object with keys such as name, found \"TPE\""},
        BadTuner{"{}", "tuner.name: required: one of TPE, Random or Anneal"},
        BadTuner{"name: 3", "tuner.name: expected one of TPE, Random or Anneal, found 3"},
        BadTuner{"name: Randon",
                 "unknown tuner \"Randon\"; expected one of TPE, Random or Anneal; did you mean \"Random\"?"},
        BadTuner{"name: grid_search", "not supported yet: \"grid_search\"; expected one of TPE"},
        BadTuner{"className: my.Tuner", "tuner.className: not supported yet: a tuner of your own"},
        BadTuner{"{name: TPE, codeDirectory: .}", "tuner.codeDirectory: goes with className only"},
        BadTuner{"{name: TPE, class_arg: {}}",
                 "tuner.class_arg: unknown key, with the value an empty object; did you mean \"classArgs\"?"},
        BadTuner{"{name: TPE, classArgs: [1]}", "tuner.classArgs: expected an object"},
        BadTuner{"{name: TPE, classArgs: {optimize_mode: up}}",
                 "optimize_mode: expected one of minimize or maximize, found \"up\""},
        BadTuner{"{name: TPE, classArgs: {seed: -1}}", "tuner.classArgs.seed: expected an integer from 0"},
        BadTuner{"{name: TPE, classArgs: {seed: 1.5}}", "found 1.5"},
        BadTuner{"{name: TPE, classArgs: {seeed: 1}}", "did you mean \"seed\"?"},
        BadTuner{"{name: Random, classArgs: {tpe_args: {}}}", "tuner.classArgs.tpe_args: unknown key"},
        BadTuner{"{name: TPE, classArgs: {tpe_args: {constant_liar_type: min}}}",
                 "expected one of best, worst, mean or none, found \"min\""},
        BadTuner{"{name: Anneal, classArgs: {constant_liar_type: best}}",
                 "expected one of min, max or mean, found \"best\""},
        BadTuner{"{name: Anneal, classArgs: {parallel_optimize: 1}}", "expected true or false, found 1"},
        BadTuner{"{name: TPE, classArgs: {tpe_args: {n_startup_jobs: 0}}}",
                 "tuner.classArgs.tpe_args.n_startup_jobs: expected an integer from 1"},
        BadTuner{"{name: TPE, classArgs: {tpe_args: {gamma: 0}}}", "gamma: expected a finite number > 0, found 0"},
        BadTuner{"{name: TPE, classArgs: {tpe_args: {prior_weight: .inf}}}", "found inf"}));

}  // namespace
}  // namespace lathe::proto
