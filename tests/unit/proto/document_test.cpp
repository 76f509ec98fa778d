#include "document.hpp"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;

ordered_json parsed(std::string_view text) {
  const auto document = parse_document(text);
  EXPECT_TRUE(document) << text << "\n" << (document ? "" : document.error().to_string());
  return document ? document->root : ordered_json();
}

std::string error_of(std::string_view text, const DocumentLimits& limits = {}) {
  const auto document = parse_document(text, limits);
  EXPECT_FALSE(document) << text;
  return document ? "" : document.error().to_string();
}

/// Line of the value that is reached by taking the child with each index in turn.
int line_at(const Document& document, std::initializer_list<std::size_t> way) {
  const Origin* origin = &document.origin;
  for (const std::size_t index : way) origin = &origin->children.at(index);
  return origin->line;
}

struct ScalarCase {
  const char* text;
  const char* json;
};

class YamlScalar : public ::testing::TestWithParam<ScalarCase> {};

TEST_P(YamlScalar, HasItsCoreSchemaType) {
  const ordered_json value = parsed(std::string("key: ") + GetParam().text)["key"];
  EXPECT_EQ(value.dump(), GetParam().json) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Document, YamlScalar,
    ::testing::Values(ScalarCase{"true", "true"}, ScalarCase{"False", "false"}, ScalarCase{"TRUE", "true"},
                      ScalarCase{"yes", "\"yes\""}, ScalarCase{"~", "null"}, ScalarCase{"", "null"},
                      ScalarCase{"Null", "null"}, ScalarCase{"\"null\"", "\"null\""}, ScalarCase{"12", "12"},
                      ScalarCase{"-12", "-12"}, ScalarCase{"+7", "7"}, ScalarCase{"010", "10"},
                      ScalarCase{"0o17", "15"}, ScalarCase{"0xff", "255"}, ScalarCase{"0x", "\"0x\""},
                      ScalarCase{"1e-3", "0.001"}, ScalarCase{"1E3", "1000.0"}, ScalarCase{".5", "0.5"},
                      ScalarCase{"-3.", "-3.0"}, ScalarCase{"1.5", "1.5"}, ScalarCase{"'1.5'", "\"1.5\""},
                      ScalarCase{"1.2.3", "\"1.2.3\""}, ScalarCase{"1e", "\"1e\""}, ScalarCase{".", "\".\""},
                      ScalarCase{"100h", "\"100h\""}, ScalarCase{"18446744073709551615", "18446744073709551615"},
                      ScalarCase{"-9223372036854775808", "-9223372036854775808"},
                      ScalarCase{"18446744073709551616", "1.8446744073709552e+19"}, ScalarCase{"1e-999", "0.0"},
                      ScalarCase{"!!str 12", "\"12\""}, ScalarCase{"!!float 12", "12.0"},
                      ScalarCase{"!!int '12'", "12"}));

TEST(Document, ReadsInfinityAndNan) {
  EXPECT_EQ(parsed("a: .inf")["a"].get<double>(), INFINITY);
  EXPECT_EQ(parsed("a: -.Inf")["a"].get<double>(), -INFINITY);
  EXPECT_EQ(parsed("a: 1e999")["a"].get<double>(), INFINITY);
  EXPECT_TRUE(std::isnan(parsed("a: .NaN")["a"].get<double>()));
}

TEST(Document, KnowsTheLineOfEveryYamlValue) {
  const auto document = parse_document("# comment\nfirst: 1\nsecond:\n  - a\n  - b: 3\n    c: [4,\n      5]\n");
  ASSERT_TRUE(document);
  EXPECT_EQ(line_at(*document, {0}), 2);
  EXPECT_EQ(line_at(*document, {1, 0}), 4);
  EXPECT_EQ(line_at(*document, {1, 1, 0}), 5);
  EXPECT_EQ(line_at(*document, {1, 1, 1, 0}), 6);
  EXPECT_EQ(line_at(*document, {1, 1, 1, 1}), 7);
}

TEST(Document, KnowsTheLineOfEveryJsonValue) {
  const auto document =
      parse_document("{\n  \"a\": 1\n,\n  \"b\": [\n    true,\n    \"x\", 2.5\n  ],\n  \"c\": {\"d\":\n null}}");
  ASSERT_TRUE(document) << document.error().to_string();
  EXPECT_EQ(line_at(*document, {}), 1);
  EXPECT_EQ(line_at(*document, {0}), 2);
  EXPECT_EQ(line_at(*document, {1}), 4);
  EXPECT_EQ(line_at(*document, {1, 0}), 5);
  EXPECT_EQ(line_at(*document, {1, 2}), 6);
  EXPECT_EQ(line_at(*document, {2}), 8);
  EXPECT_EQ(line_at(*document, {2, 0}), 9);
}

TEST(Document, KeepsTheOrderOfKeys) {
  EXPECT_EQ(parsed("b: 1\na: 2\n").dump(), R"({"b":1,"a":2})");
  EXPECT_EQ(parsed(R"({"b": 1, "a": 2})").dump(), R"({"b":1,"a":2})");
}

TEST(Document, ForgivesTrailingCommasAndComments) {
  EXPECT_EQ(parsed("{\"a\": [1, 2, ], // why\n \"b\": {\"c\": \",]\",}, /* , */ # \"[ \n }").dump(),
            R"({"a":[1,2],"b":{"c":",]"}})");
  EXPECT_EQ(parsed("a: [1, 2, ]\nb: {c: 1, }\n").dump(), R"({"a":[1,2],"b":{"c":1}})");
}

TEST(Document, ReadsJsonThatYamlWouldRefuse) {
  EXPECT_EQ(parsed("{\n\t\"a\":1,\n\t\"b\":\"\\ud83d\\ude00\\/\"\n}").dump(), "{\"a\":1,\"b\":\"😀/\"}");
  EXPECT_EQ(parsed("\xEF\xBB\xBF{\"a\":1}").dump(), R"({"a":1})");
}

TEST(Document, ReadsYamlThatStartsLikeJson) {
  EXPECT_EQ(parsed("{a: 1, b: [x, y]}").dump(), R"({"a":1,"b":["x","y"]})");
}

TEST(Document, RepeatsAnchors) {
  EXPECT_EQ(parsed("a: &x {b: 1}\nc: *x\n").dump(), R"({"a":{"b":1},"c":{"b":1}})");
  EXPECT_THAT(error_of("a: &x [*x]\n"), HasSubstr("inside the value it repeats"));
  EXPECT_THAT(error_of("a: *unknown\n"), HasSubstr("line 1"));
}

TEST(Document, RefusesDuplicateKeysWithBothLines) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "line 3: duplicate key \"a\": already given on line 1");
  EXPECT_EQ(error_of("{\"a\": 1,\n\"b\": {\"c\": 1,\n \"c\": 2,}}"),
            "line 3: duplicate key \"c\": already given on line 2");
}

struct BadText {
  const char* text;
  const char* message;
};

class BadDocument : public ::testing::TestWithParam<BadText> {};

TEST_P(BadDocument, IsAnErrorThatSaysWhereAndWhat) {
  EXPECT_THAT(error_of(GetParam().text), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Document, BadDocument,
    ::testing::Values(BadText{"", "empty"}, BadText{"# nothing\n", "empty"},
                      BadText{"a: 1\n---\nb: 2\n", "more than one YAML document"},
                      BadText{"a:\n\tb: 1\n",
                              "line 2: not valid YAML: the line is indented with a tab; expected spaces"},
                      BadText{"a: [1, 2\nb: 3\n", "not valid YAML"}, BadText{"a: b: c\n", "line 1: not valid YAML"},
                      BadText{"? [x]\n: 1\n", "expected a key made of text, found a list"},
                      BadText{"~: 1\n", "expected a key made of text, found null"},
                      BadText{"a: !custom 1\n", "cannot be read as !custom"}, BadText{"a: !!int x\n", "line 1"},
                      BadText{"{\"a\": 1,\n \"b\" 2}", "line 2: not valid JSON: syntax error"},
                      BadText{"{\"a\": [1, 2}", "line 1: not valid JSON"}, BadText{"{\"a\": 1e999}", "not valid JSON"},
                      BadText{"{\"a\": ,}", "not valid JSON"}, BadText{"[,]", "not valid JSON"},
                      BadText{"a: \xFF\n", "line 1: byte 0xFF is not valid UTF-8"},
                      BadText{"a: 1\nb: \xC0\xAF\n", "line 2: byte 0xC0"},
                      BadText{"a: \xED\xA0\x80\n", "not valid UTF-8"}, BadText{"a: \xF0\x9F\n", "not valid UTF-8"},
                      BadText{"a: 1\nb: \x04 c\n", "line 2: control character U+0004"}));

TEST(Document, RefusesDepthInEveryNotation) {
  EXPECT_THAT(error_of(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested too deep"));
  EXPECT_THAT(error_of("a: " + std::string(100, '[') + std::string(100, ']')), HasSubstr("nested too deep"));
  EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("nested too deep"));
  std::string dashes;
  for (int i = 0; i < 100; ++i) dashes += "- ";
  EXPECT_THAT(error_of(dashes + "x"), HasSubstr("nested too deep"));
  EXPECT_EQ(parsed(std::string(64, '[') + std::string(64, ']')).size(), 1U);
}

TEST(Document, RefusesDepthThatAliasesAddUp) {
  std::string text = "a0: &a0 [1]\n";
  for (int i = 1; i < 100; ++i) {
    const std::string name = "a" + std::to_string(i);
    text += name + ": &" + name + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("nested too deep"));
}

TEST(Document, RefusesAliasBombs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    text += "]\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("too large: more than 200000 values"));

  std::string long_text = "a: &a " + std::string(100'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 1000; ++i) long_text += ", *a";
  EXPECT_THAT(error_of(long_text + "]\n"), HasSubstr("too large: more than 2097152 bytes of text"));
}

TEST(Document, RefusesWhatIsTooLarge) {
  EXPECT_THAT(error_of(std::string(50, 'x'), {.bytes = 49}), HasSubstr("too large: 50 bytes, at most 49"));
  EXPECT_THAT(error_of("[1, 2, 3]", {.nodes = 3}), HasSubstr("more than 3 values"));
  EXPECT_THAT(error_of(std::string(2000, 'k') + ": 1"),
              ::testing::AnyOf(HasSubstr("a key of 2000 bytes"), HasSubstr("not valid YAML")));
  EXPECT_THAT(error_of("{\"" + std::string(2000, 'k') + "\": 1}"), HasSubstr("a key of 2000 bytes"));
}

TEST(Document, MeasuresDepthWithoutRecursion) {
  ordered_json deep = 1;
  for (int i = 0; i < 64; ++i) deep = ordered_json::array({std::move(deep)});
  EXPECT_TRUE(is_within_depth(deep));
  EXPECT_FALSE(is_within_depth(ordered_json::array({deep})));
}

}  // namespace
}  // namespace lathe::proto
