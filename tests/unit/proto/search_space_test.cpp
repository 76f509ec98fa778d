#include <lathe/proto/search_space.hpp>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;

Checked<SearchSpace> parse(std::string_view text) {
  const auto document = parse_document(text);
  EXPECT_TRUE(document) << text;
  return parse_search_space(document->root);
}

std::string errors(std::string_view text) {
  const auto space = parse(text);
  EXPECT_FALSE(space) << text;
  return space ? "" : to_string(space.error());
}

template <class T>
T only(std::string_view type, std::string_view value) {
  const auto space =
      parse("{\"x\": {\"_type\": \"" + std::string(type) + "\", \"_value\": " + std::string(value) + "}}");
  EXPECT_TRUE(space) << type << value << (space ? "" : to_string(space.error()));
  return space ? std::get<T>(space->parameters.at(0).distribution) : T{};
}

/// The nested space of NNI's guide to automatic compression, trailing commas and all.
constexpr std::string_view nested_space = R"({
  "prune_method": {
    "_type": "choice",
    "_value": [
      {
        "_name": "agp",
        "conv0_sparsity": {
          "_type": "uniform",
          "_value": [
            0.1,
            0.9
          ]
        },
        "conv1_sparsity": {
          "_type": "uniform",
          "_value": [
            0.1,
            0.9
          ]
        },
      },
      {
        "_name": "level",
        "conv0_sparsity": {
          "_type": "uniform",
          "_value": [
            0.1,
            0.9
          ]
        },
        "conv1_sparsity": {
          "_type": "uniform",
          "_value": [
            0.01,
            0.9
          ]
        },
      }
    ]
  }
})";

TEST(SearchSpace, ReadsNnisNestedSpace) {
  const auto space = parse(nested_space);
  ASSERT_TRUE(space) << to_string(space.error());
  ASSERT_EQ(space->parameters.size(), 1U);
  EXPECT_EQ(space->parameters[0].name, "prune_method");
  const auto& choice = std::get<Choice>(space->parameters[0].distribution);
  ASSERT_EQ(choice.options.size(), 2U);
  EXPECT_EQ(choice.options[0].name, "agp");
  EXPECT_EQ(choice.options[0].value.dump(), R"({"_name":"agp"})");
  ASSERT_EQ(choice.options[1].parameters.size(), 2U);
  EXPECT_EQ(choice.options[1].parameters[1].name, "conv1_sparsity");
  const auto& sparsity = std::get<Uniform>(choice.options[1].parameters[1].distribution);
  EXPECT_EQ(sparsity.low, 0.01);
  EXPECT_EQ(sparsity.high, 0.9);
}

TEST(SearchSpace, ReadsEveryNumericType) {
  EXPECT_EQ(only<RandInt>("randint", "[1, 10]").high, 10);
  const auto uniform = only<Uniform>("uniform", "[-1, 2.5]");
  EXPECT_EQ(uniform.low, -1);
  EXPECT_EQ(uniform.high, 2.5);
  EXPECT_FALSE(uniform.log);
  EXPECT_FALSE(uniform.q);
  EXPECT_EQ(only<Uniform>("quniform", "[0, 1, 0.25]").q, 0.25);
  EXPECT_TRUE(only<Uniform>("loguniform", "[1e-5, 1]").log);
  const auto qlog = only<Uniform>("qloguniform", "[1, 100, 5]");
  EXPECT_TRUE(qlog.log);
  EXPECT_EQ(qlog.q, 5);
  const auto normal = only<Normal>("normal", "[3, 2]");
  EXPECT_EQ(normal.mu, 3);
  EXPECT_EQ(normal.sigma, 2);
  EXPECT_EQ(only<Normal>("qnormal", "[0, 1, 2]").q, 2);
  EXPECT_TRUE(only<Normal>("lognormal", "[0, 1]").log);
  EXPECT_TRUE(only<Normal>("qlognormal", "[0, 1, 2]").log);
}

TEST(SearchSpace, RoundsBoundsOfRandintUp) {
  const auto range = only<RandInt>("randint", "[0.2, 9.1]");
  EXPECT_EQ(range.low, 1);
  EXPECT_EQ(range.high, 10);
  EXPECT_EQ(only<RandInt>("randint", "[-9223372036854775808, 9223372036854775807]").low, INT64_MIN);
}

TEST(SearchSpace, TakesAnyJsonAsAnOption) {
  const auto choice = only<Choice>("choice", R"([1, "two", 3.5, true, null, [1, 2], {"a": {"b": 1}}])");
  ASSERT_EQ(choice.options.size(), 7U);
  EXPECT_EQ(choice.options[6].value.dump(), R"({"a":{"b":1}})");
  EXPECT_TRUE(choice.options[6].name.empty());
}

TEST(SearchSpace, KeepsTheConstantsOfANamedOption) {
  const auto choice = only<Choice>("choice", R"([{"_name": "qat", "bits": 8, "types": ["Conv2d"], "more": {"a": 1},
                                                  "lr": {"_type": "uniform", "_value": [0, 1]}}])");
  EXPECT_EQ(choice.options[0].value.dump(), R"({"_name":"qat","bits":8,"types":["Conv2d"],"more":{"a":1}})");
  ASSERT_EQ(choice.options[0].parameters.size(), 1U);
  EXPECT_EQ(choice.options[0].parameters[0].name, "lr");
}

TEST(SearchSpace, KeepsTheOrderOfParameters) {
  const auto space = parse(R"({"z": {"_type": "choice", "_value": [1]}, "a": {"_type": "choice", "_value": [1]}})");
  ASSERT_TRUE(space);
  EXPECT_EQ(space->parameters[0].name, "z");
}

TEST(SearchSpace, ReadsBackWhatItWrites) {
  constexpr std::string_view all = R"({
    "a": {"_type": "choice", "_value": [1, {"_name": "n", "k": 3, "s": {"_type": "choice", "_value": [
             {"_name": "deep", "q": {"_type": "qloguniform", "_value": [1.0, 8.0, 2.0]}}]}}]},
    "b": {"_type": "randint", "_value": [0, 5]},
    "c": {"_type": "quniform", "_value": [0.0, 1.0, 0.1]},
    "d": {"_type": "loguniform", "_value": [1e-05, 0.1]},
    "e": {"_type": "normal", "_value": [0.0, 1.0]},
    "f": {"_type": "qlognormal", "_value": [0.0, 1.0, 0.5]},
    "conv1.sparsity": {"_type": "uniform", "_value": [0.1, 0.9]}})";
  const auto space = parse(all);
  ASSERT_TRUE(space) << to_string(space.error());
  const ordered_json json = to_json(*space);
  EXPECT_EQ(json.dump(), ordered_json::parse(all).dump());
  EXPECT_EQ(to_json(*parse_search_space(json)).dump(), json.dump());
}

struct BadSpace {
  const char* json;
  const char* message;
};

class WrongSearchSpace : public ::testing::TestWithParam<BadSpace> {};

TEST_P(WrongSearchSpace, IsRefusedWithFieldAndReason) {
  EXPECT_THAT(errors(GetParam().json), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Proto, WrongSearchSpace,
    ::testing::Values(
        BadSpace{"[1]", "searchSpace: expected an object of parameters"},
        BadSpace{"{}", "searchSpace: the search space is empty"},
        BadSpace{R"({"x": 1})", "searchSpace.x: expected a parameter"},
        BadSpace{R"({"": {"_type": "uniform", "_value": [0, 1]}})", "needs a name"},
        BadSpace{R"({"x": {"_value": [0, 1]}})", "searchSpace.x: _type is missing; expected one of choice, randint"},
        BadSpace{R"({"x": {"_type": "uniform"}})", "searchSpace.x: _value is missing; expected a list"},
        BadSpace{R"({"x": {"_type": "unifrom", "_value": [0, 1]}})",
                 "searchSpace.x._type: unknown _type \"unifrom\"; did you mean \"uniform\"?"},
        BadSpace{R"({"x": {"_type": "zzz", "_value": [0, 1]}})", "Known are choice"},
        BadSpace{R"({"x": {"_type": 3, "_value": [0, 1]}})", "found 3"},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [0, 1], "_vlaue": 3}})",
                 "searchSpace.x._vlaue: unknown key; did you mean \"_value\"?"},
        BadSpace{R"({"x": {"_type": "uniform", "_value": "0 1"}})",
                 "searchSpace.x._value: expected a list [low, high] for uniform, found \"0 1\""},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [0]}})",
                 "uniform needs 2 numbers [low, high], found a list of 1"},
        BadSpace{R"({"x": {"_type": "quniform", "_value": [0, 1]}})", "quniform needs 3 numbers [low, high, q]"},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [0, "1"]}})",
                 "searchSpace.x._value[1]: expected a finite number, found \"1\""},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [true, 1]}})",
                 "searchSpace.x._value[0]: expected a finite number, found true"},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [2, 1]}})",
                 "uniform needs low < high, found low 2 and high 1"},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [1, 1]}})", "low < high"},
        BadSpace{R"({"x": {"_type": "uniform", "_value": [-1.7e308, 1.7e308]}})", "spans more than a double holds"},
        BadSpace{R"({"x": {"_type": "loguniform", "_value": [0, 1]}})", "loguniform needs low > 0, found 0"},
        BadSpace{R"({"x": {"_type": "quniform", "_value": [0, 1, 0]}})", "quniform needs q > 0, found 0"},
        BadSpace{R"({"x": {"_type": "normal", "_value": [0, 0]}})", "normal needs sigma > 0, found 0"},
        BadSpace{R"({"x": {"_type": "qlognormal", "_value": [0, 1, -1]}})", "q > 0, found -1"},
        BadSpace{R"({"x": {"_type": "randint", "_value": [5, 5]}})",
                 "randint needs low < high (high is excluded), found low 5 and high 5"},
        BadSpace{R"({"x": {"_type": "randint", "_value": [4.1, 4.9]}})", "found low 5 and high 5"},
        BadSpace{R"({"x": {"_type": "randint", "_value": [7]}})", "randint needs 2 numbers"},
        BadSpace{R"({"x": {"_type": "randint", "_value": [0, 1e30]}})", "fits a 64-bit integer, found 1e+30"},
        BadSpace{R"({"x": {"_type": "randint", "_value": [0, 18446744073709551615]}})",
                 "searchSpace.x._value[1]: expected an integer"},
        BadSpace{R"({"x": {"_type": "choice", "_value": []}})",
                 "searchSpace.x._value: a choice needs at least one option"},
        BadSpace{R"({"x": {"_type": "choice", "_value": [{"_name": ""}]}})",
                 "_value[0]._name: expected a text that is not empty"},
        BadSpace{R"({"x": {"_type": "choice", "_value": [{"_name": 3}]}})", "found 3"},
        BadSpace{R"({"x": {"_type": "choice", "_value": [{"_name": "a"}, {"_name": "a"}]}})",
                 "_value[1]: duplicate _name \"a\""},
        BadSpace{R"({"x": {"_type": "choice", "_value": [{"s": {"_type": "uniform", "_value": [0, 1]}}]}})",
                 "holds the parameter s and so needs a _name"},
        BadSpace{R"({"x": {"_type": "choice", "_value": [{"_name": "a", "s": {"_value": [0, 1]}}]}})",
                 "_value[0].s: _type is missing"},
        BadSpace{
            R"({"x": {"_type": "choice", "_value": [{"_name": "a", "s": {"_type": "uniform", "_value": [1, 0]}}]}})",
            "searchSpace.x._value[0].s._value: uniform needs low < high"},
        BadSpace{"x: {_type: choice, _value: [.nan]}", "searchSpace.x._value[0]: expected a finite number, found nan"},
        BadSpace{"x: {_type: uniform, _value: [0, .inf]}", "found inf"}));

TEST(SearchSpace, ReportsEveryError) {
  const auto space =
      parse(R"({"x": {"_type": "uniform", "_value": [1, 0]}, "y": {"_type": "nope", "_value": []}, "z": 1})");
  ASSERT_FALSE(space);
  EXPECT_EQ(space.error().size(), 3U);
}

TEST(SearchSpace, SurvivesJsonOfAnyDepth) {
  ordered_json deep = 1;
  for (int i = 0; i < 50'000; ++i) {
    ordered_json outer = ordered_json::array();
    outer.push_back(std::move(deep));
    deep = std::move(outer);
  }
  ordered_json parameter{{"_type", "choice"}};
  parameter["_value"] = std::move(deep);
  ordered_json space;
  space["x"] = std::move(parameter);
  const auto parsed = parse_search_space(space, "space");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(to_string(parsed.error()), HasSubstr("space: nested too deep"));
}

TEST(SearchSpace, PutsTheGivenPathInFrontOfErrors) {
  EXPECT_EQ(parse_search_space(ordered_json{{"x", 1}}, "").error().at(0).field, "x");
  EXPECT_EQ(parse_search_space(ordered_json{{"x", 1}}, "body.space").error().at(0).field, "body.space.x");
}

}  // namespace
}  // namespace lathe::proto
