#include <lathe/proto/trial_files.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

MetricReport parsed(std::string_view json) {
  const auto report = parse_metric(json);
  EXPECT_TRUE(report) << report.error().to_string();
  return report ? *report : MetricReport{};
}

std::string complaint_about(std::string_view json) {
  const auto report = parse_metric(json);
  EXPECT_FALSE(report) << json;
  return report ? "" : report.error().to_string();
}

std::string metric(const std::string& value) {
  return "{\"parameter_id\": 3, \"trial_job_id\": \"AbC12\", \"type\": \"FINAL\", \"sequence\": 0, \"value\": " +
         value + "}";
}

std::string framed(const std::string& json) {
  const std::string length = std::to_string(json.size() + 1);
  return "ME" + std::string(6 - length.size(), '0') + length + json + "\n";
}

std::vector<std::string> all_frames(MetricFrameReader& reader) {
  std::vector<std::string> frames;
  while (auto frame = reader.next()) frames.push_back(*frame);
  return frames;
}

// ---- parameter.cfg

TEST(ParameterRecord, SurvivesItsText) {
  const ParameterRecord record{
      7, "customized", {{"lr", 0.1}, {"algorithm", {{"_name", "l1"}, {"conv1.sparsity", 0.5}}}}};
  const auto copy = parse_parameter_record(to_text(record));
  ASSERT_TRUE(copy) << copy.error().to_string();
  EXPECT_EQ(copy->parameter_id, 7);
  EXPECT_EQ(copy->parameter_source, "customized");
  EXPECT_EQ(copy->parameters.dump(), record.parameters.dump());
}

TEST(ParameterRecord, ErrorsNameTheField) {
  EXPECT_EQ(parse_parameter_record("{}").error().field, "parameter_id");
  EXPECT_EQ(parse_parameter_record("{\"parameter_id\": 1.5, \"parameters\": {}}").error().field, "parameter_id");
  EXPECT_EQ(parse_parameter_record("{\"parameter_id\": 1}").error().field, "parameters");
  EXPECT_EQ(parse_parameter_record("{\"parameter_id\": 1, \"parameters\": 3}").error().field, "parameters");
  EXPECT_THAT(parse_parameter_record("nonsense").error().message, HasSubstr("not valid JSON"));
}

// ---- one metric

TEST(Metric, ReadsWhatNniWrites) {
  const MetricReport report = parsed(
      R"({"parameter_id": 3, "trial_job_id": "AbC12", "type": "PERIODICAL", "sequence": 1, "value": "{\"default\": 0.6, \"loss\": NaN}"})");
  EXPECT_EQ(report.parameter_id, 3);
  EXPECT_EQ(report.trial_job_id, "AbC12");
  EXPECT_EQ(report.type, MetricType::Periodical);
  EXPECT_EQ(report.sequence, 1);
  EXPECT_EQ(report.value["loss"], "NaN");
  EXPECT_EQ(report.scalar(), 0.6);
}

TEST(Metric, TakesAValueThatIsJsonItself) {
  EXPECT_EQ(parsed(metric("0.5")).scalar(), 0.5);
  EXPECT_EQ(parsed(metric("{\"default\": 2, \"x\": [1, null]}")).scalar(), 2);
}

TEST(Metric, TakesBareNumbersThatJsonHasNot) {
  for (const char* number : {"NaN", "Infinity", "-Infinity"}) {
    EXPECT_EQ(parsed(metric(number)).value, number);
    EXPECT_EQ(parsed(metric("\"" + std::string(number) + "\"")).value, number);
    EXPECT_FALSE(parsed(metric(number)).scalar());
  }
  EXPECT_EQ(parsed(metric(R"("[NaN, -Infinity, \"NaN is \\\"NaN\\\"\"]")")).value.dump(),
            R"(["NaN","-Infinity","NaN is \"NaN\""])");
}

TEST(Metric, ScalarIsTheNumberOrItsDefault) {
  EXPECT_EQ(parsed(metric("\"0.9\"")).scalar(), 0.9);
  EXPECT_EQ(parsed(metric("\"7\"")).scalar(), 7);
  EXPECT_FALSE(parsed(metric("\"{\\\"loss\\\": 1}\"")).scalar());
  EXPECT_FALSE(parsed(metric("\"{\\\"default\\\": \\\"high\\\"}\"")).scalar());
  EXPECT_FALSE(parsed(metric("\"null\"")).scalar());
  EXPECT_FALSE(parsed(metric("\"true\"")).scalar());
}

TEST(Metric, ARequestForParametersNeedsNoValue) {
  const MetricReport report =
      parsed(R"({"trial_job_id": "x", "type": "REQUEST_PARAMETER", "sequence": 0, "parameter_index": 0})");
  EXPECT_EQ(report.type, MetricType::RequestParameter);
}

TEST(Metric, ErrorsNameTheField) {
  EXPECT_THAT(complaint_about("{}"), StartsWith("type: "));
  EXPECT_THAT(complaint_about(R"({"type": "ODD"})"), HasSubstr("\"ODD\" is not one of PERIODICAL"));
  EXPECT_THAT(complaint_about(R"({"type": "FINAL", "trial_job_id": 1})"), StartsWith("trial_job_id: "));
  EXPECT_THAT(
      complaint_about(R"({"type": "FINAL", "trial_job_id": "a", "sequence": 0, "parameter_id": null, "value": "1"})"),
      StartsWith("parameter_id: "));
  EXPECT_THAT(complaint_about(R"({"type": "FINAL", "trial_job_id": "a", "sequence": 0, "parameter_id": 1})"),
              StartsWith("value: "));
  EXPECT_THAT(complaint_about(metric("\"{oops\"")), StartsWith("value: "));
  EXPECT_THAT(complaint_about(metric("\"\"")), StartsWith("value: "));
  EXPECT_THAT(complaint_about("{\"type\": \"FINAL\""), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint_about("\xff\xfe"), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint_about("[]"), HasSubstr("object is expected"));
}

TEST(Metric, RefusesNestingThatOnlyExhaustsAStack) {
  EXPECT_THAT(complaint_about(metric(std::string(100'000, '['))), HasSubstr("nests deeper"));
}

// ---- writing

TEST(MetricFrame, IsByteForByteWhatNniWrites) {
  MetricReport report{3, "AbC12", MetricType::Periodical, 0, 0.5};
  EXPECT_EQ(*encode_metric_frame(report),
            "ME000098{\"parameter_id\": 3, \"trial_job_id\": \"AbC12\", \"type\": \"PERIODICAL\", \"sequence\": 0, "
            "\"value\": \"0.5\"}\n");
  report.type = MetricType::Final;
  report.value = 0.9;
  EXPECT_THAT(*encode_metric_frame(report), StartsWith("ME000093{"));
  report = {3, "AbC12", MetricType::Periodical, 1, {{"default", 0.6}, {"loss", std::nan("")}}};
  EXPECT_THAT(*encode_metric_frame(report), StartsWith("ME000128{"));
  EXPECT_THAT(*encode_metric_frame(report), HasSubstr(R"("value": "{\"default\": 0.6, \"loss\": NaN}"})"));
}

TEST(MetricFrame, WritesNumbersAsPythonDoes) {
  const auto text = [](const ordered_json& value) {
    const std::string frame = *encode_metric_frame({0, "t", MetricType::Final, 0, value});
    const std::size_t begin = frame.rfind(": \"") + 3;
    return frame.substr(begin, frame.size() - begin - 3);
  };
  EXPECT_EQ(text(1.0), "1.0");
  EXPECT_EQ(text(-0.0), "-0.0");
  EXPECT_EQ(text(1), "1");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(1e-5), "1e-05");
  EXPECT_EQ(text(0.0001), "0.0001");
  EXPECT_EQ(text(1e15), "1000000000000000.0");
  EXPECT_EQ(text(1e16), "1e+16");
  EXPECT_EQ(text(1.5e300), "1.5e+300");
  EXPECT_EQ(text(INFINITY), "Infinity");
  EXPECT_EQ(text(ordered_json::array({1, true, nullptr})), "[1, true, null]");
}

TEST(MetricFrame, SurvivesItsText) {
  const MetricReport report{
      9, "a\"b", MetricType::Final, 4, {{"default", 0.25}, {"text", "\u00fc\n"}, {"list", {1, 2}}}};
  MetricFrameReader reader;
  reader.feed(*encode_metric_frame(report));
  const MetricReport copy = parsed(*reader.next());
  EXPECT_EQ(copy.trial_job_id, report.trial_job_id);
  EXPECT_EQ(copy.sequence, 4);
  EXPECT_EQ(copy.value.dump(), report.value.dump());
}

TEST(MetricFrame, RefusesAMillionBytes) {
  MetricReport report{0, "t", MetricType::Final, 0, std::string(999'000, 'x')};
  EXPECT_TRUE(encode_metric_frame(report));
  report.value = std::string(1'000'000, 'x');
  const auto frame = encode_metric_frame(report);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().field, "value");
}

// ---- finding frames

TEST(MetricFrameReader, FindsFramesFedByteByByte) {
  MetricFrameReader reader;
  std::vector<std::string> frames;
  for (const char byte : framed("{\"a\": 1}") + framed("{\"b\": 2}")) {
    reader.feed(std::string_view(&byte, 1));
    for (auto& frame : all_frames(reader)) frames.push_back(frame);
  }
  EXPECT_THAT(frames, ElementsAre("{\"a\": 1}", "{\"b\": 2}"));
  EXPECT_EQ(reader.damaged(), 0);
}

TEST(MetricFrameReader, ALargeFrameInSmallPiecesTakesLinearTime) {
  const std::string json(200'000, 'x');
  const std::string frame = framed(json);
  MetricFrameReader reader;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    reader.feed(std::string_view(frame).substr(i, 1));
    const auto payload = reader.next();
    ASSERT_EQ(payload.has_value(), i + 1 == frame.size());
    EXPECT_TRUE(!payload || *payload == json);
  }
}

TEST(MetricFrameReader, SkipsDamageUpToTheNextFrame) {
  const std::string good = framed("{\"a\": 1}");
  for (const std::string& damage :
       {std::string("garbage"), std::string("ME12x456{}\n"), std::string("ME000000"), std::string("ME000004{}xx"),
        std::string("MEME"), std::string("M"), std::string(3, '\0')}) {
    MetricFrameReader reader;
    reader.feed(good + damage + good);
    EXPECT_THAT(all_frames(reader), ElementsAre("{\"a\": 1}", "{\"a\": 1}")) << damage;
    EXPECT_GE(reader.damaged(), 1) << damage;
  }
}

TEST(MetricFrameReader, ATornFrameDoesNotSwallowTheNextOnes) {
  const std::string good = framed("{\"a\": 1}");
  MetricFrameReader reader;
  reader.feed("ME900000{\"cut" + good + good);
  EXPECT_THAT(all_frames(reader), ElementsAre("{\"a\": 1}", "{\"a\": 1}"));
}

TEST(MetricFrameReader, FinishGivesUpAnIncompleteFrame) {
  const std::string good = framed("{\"a\": 1}");
  MetricFrameReader reader;
  reader.feed("ME000500{\"cut" + good);
  EXPECT_FALSE(reader.next());
  reader.finish();
  EXPECT_EQ(reader.next(), "{\"a\": 1}");
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.damaged(), 1);
}

TEST(MetricFrameReader, PositionIsWhereANewReaderGoesOn) {
  const std::string stream = framed("{\"a\": 1}") + "junk" + framed("{\"b\": 2}") + framed("{\"c\": 3}");
  MetricFrameReader reader;
  reader.feed(stream.substr(0, 30));
  reader.feed(stream.substr(30));
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  MetricFrameReader next;
  next.feed(stream.substr(reader.position()));
  EXPECT_EQ(next.next(), "{\"c\": 3}");
  EXPECT_EQ(next.damaged(), 0);
}

}  // namespace
}  // namespace lathe::proto
