#include <lathe/proto/frames.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace lathe::proto {
namespace {

using testing::HasSubstr;

std::string json_of(const std::string& frame) {
  return frame.substr(4);
}

template <class T>
T sent_to_agent(const T& message) {
  const auto decoded = decode_to_agent(json_of(encode_frame(ToAgent(message))));
  EXPECT_TRUE(decoded) << decoded.error().to_string();
  return std::get<T>(*decoded);
}

template <class T>
T sent_from_agent(std::uint64_t sequence, const T& event) {
  const auto decoded = decode_from_agent(json_of(encode_frame(FromAgent(SequencedEvent{sequence, event}))));
  EXPECT_TRUE(decoded) << decoded.error().to_string();
  const auto& sequenced = std::get<SequencedEvent>(*decoded);
  EXPECT_EQ(sequenced.sequence, sequence);
  return std::get<T>(sequenced.event);
}

std::string complaint_about(std::string_view json) {
  const auto decoded = decode_to_agent(json);
  EXPECT_FALSE(decoded) << json;
  return decoded ? "" : decoded.error().to_string();
}

TEST(Frames, StartTrialSurvivesTheWire) {
  const StartTrial start{"e/t/0",
                         "python \"t.py\" & wait\n",
                         "/work dir",
                         "/d/\u00fc",
                         {{"A", "1"}, {"B", ""}},
                         "{}",
                         60,
                         "/trees/1",
                         {{"kind", "slurm"}, {"directives", {"--qos=low"}}}};
  const StartTrial copy = sent_to_agent(start);
  EXPECT_EQ(copy.trial_id, start.trial_id);
  EXPECT_EQ(copy.command, start.command);
  EXPECT_EQ(copy.working_directory, start.working_directory);
  EXPECT_EQ(copy.directory, start.directory);
  EXPECT_EQ(copy.environment, start.environment);
  EXPECT_EQ(copy.parameter_file, start.parameter_file);
  EXPECT_EQ(copy.max_duration_s, 60);
  EXPECT_EQ(copy.code_tree, start.code_tree);
  EXPECT_EQ(copy.launcher, start.launcher);
  EXPECT_FALSE(sent_to_agent(StartTrial{}).max_duration_s);
  EXPECT_TRUE(sent_to_agent(StartTrial{}).launcher.is_null());
}

TEST(Frames, OtherMessagesToTheAgentSurviveTheWire) {
  const KillTrial kill = sent_to_agent(KillTrial{"t", "user", 250});
  EXPECT_EQ(kill.trial_id, "t");
  EXPECT_EQ(kill.reason, "user");
  EXPECT_EQ(kill.grace_ms, 250);
  EXPECT_EQ(sent_to_agent(Ack{1ull << 60}).sequence, 1ull << 60);
  const Shutdown shutdown = sent_to_agent(Shutdown{"stop", 0});
  EXPECT_EQ(shutdown.reason, "stop");
  EXPECT_EQ(shutdown.grace_ms, 0);
}

TEST(Frames, HelloSurvivesTheWire) {
  const Hello hello{1, "0.1.0", "host", 42, "abc", 7, {"a", "b"}, "/root", "/bin/lathe-trial"};
  const auto decoded = decode_from_agent(json_of(encode_frame(FromAgent(hello))));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  const auto& copy = std::get<Hello>(*decoded);
  EXPECT_EQ(copy.protocol, 1u);
  EXPECT_EQ(copy.version, "0.1.0");
  EXPECT_EQ(copy.host, "host");
  EXPECT_EQ(copy.pid, 42);
  EXPECT_EQ(copy.state_id, "abc");
  EXPECT_EQ(copy.last_sequence, 7u);
  EXPECT_EQ(copy.running, hello.running);
  EXPECT_EQ(copy.root, "/root");
  EXPECT_EQ(copy.trial_program, "/bin/lathe-trial");
}

TEST(Frames, TrialNoteSurvivesTheWire) {
  const auto decoded = decode_from_agent(json_of(encode_frame(FromAgent(TrialNote{"a/1/0", "job 7: Resources"}))));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(std::get<TrialNote>(*decoded).trial_id, "a/1/0");
  EXPECT_EQ(std::get<TrialNote>(*decoded).text, "job 7: Resources");
}

TEST(Frames, HostReportSurvivesTheWire) {
  HostReport report;
  report.gpus = {{0, "GPU-1", "H100", 80, 3, 7, {{4711, "python", "ana", ""}, {5, "lathe-trial", "me", "e/t/0"}}}, {}};
  report.gpu_error = "nvidia-smi does not answer";
  report.cores = 16;
  report.load = 1.5;
  report.disk_free_bytes = 1ll << 40;
  const auto decoded = decode_from_agent(json_of(encode_frame(FromAgent(report))));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  const auto& copy = std::get<HostReport>(*decoded);
  ASSERT_EQ(copy.gpus.size(), 2u);
  ASSERT_EQ(copy.gpus[0].processes.size(), 2u);
  EXPECT_EQ(copy.gpus[0].processes[0].user, "ana");
  EXPECT_EQ(copy.gpus[0].processes[1].trial_id, "e/t/0");
  EXPECT_EQ(copy.gpus[0].utilization, 7);
  EXPECT_EQ(copy.gpu_error, report.gpu_error);
  EXPECT_EQ(copy.load, 1.5);
  EXPECT_EQ(copy.disk_free_bytes, 1ll << 40);
}

TEST(Frames, ErrorsInsideAListNameThePlace) {
  const auto decoded = decode_from_agent(
      R"({"type":"host_report","gpus":[{"index":0,"uuid":"","name":"","memory_bytes":1,"memory_used_bytes":0,)"
      R"("utilization":0,"processes":[{"pid":"x"}]}]})");
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().to_string(), HasSubstr("gpus[0].processes[0].pid: "));
}

TEST(Frames, EventsSurviveTheWire) {
  EXPECT_EQ(sent_from_agent(1, TrialStarted{"t", 99, 5}).pid, 99);
  EXPECT_EQ(sent_from_agent(2, TrialMetric{"t", "{\"value\": \"NaN\"}", 6}).payload, "{\"value\": \"NaN\"}");
  const TrialExited exited = sent_from_agent(3, TrialExited{"t", 1, {}, "bad", true, "user", "tail\n", 7});
  EXPECT_EQ(exited.exit_code, 1);
  EXPECT_FALSE(exited.signal);
  EXPECT_EQ(exited.error, "bad");
  EXPECT_TRUE(exited.lost);
  EXPECT_EQ(exited.killed_by, "user");
  EXPECT_EQ(exited.stderr_tail, "tail\n");
  EXPECT_EQ(exited.time_ms, 7);
}

TEST(Frames, LengthIsBigEndian) {
  const std::string frame = encode_frame(ToAgent(Ack{1}));
  EXPECT_EQ(frame.substr(0, 3), std::string(3, '\0'));
  EXPECT_EQ(static_cast<std::size_t>(frame[3]), frame.size() - 4);
}

TEST(Frames, InvalidUtf8IsReplacedNotThrown) {
  EXPECT_EQ(sent_from_agent(1, TrialMetric{"t",
                                           "a\xff"
                                           "b",
                                           0})
                .payload,
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Frames, ErrorsNameTheField) {
  EXPECT_THAT(complaint_about("{\"type\":\"ack\"}"), HasSubstr("sequence: is missing"));
  EXPECT_THAT(complaint_about("{\"type\":\"ack\",\"sequence\":\"1\"}"), HasSubstr("sequence: a value of type string"));
  EXPECT_THAT(complaint_about("{\"type\":\"ack\",\"sequence\":-1}"), HasSubstr("-1"));
  EXPECT_THAT(complaint_about("{\"type\":\"ack\",\"sequence\":18446744073709551615}"), HasSubstr("sequence"));
  EXPECT_THAT(complaint_about("{\"type\":\"kill_trial\",\"trial_id\":1,\"reason\":\"\",\"grace_ms\":1}"),
              HasSubstr("trial_id"));
  EXPECT_THAT(complaint_about("{\"type\":\"dance\"}"), HasSubstr("start_trial, kill_trial, ack, shutdown"));
  EXPECT_THAT(complaint_about("{}"), HasSubstr("type"));
  EXPECT_THAT(complaint_about("[1]"), HasSubstr("array"));
  EXPECT_THAT(complaint_about("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint_about(""), HasSubstr("not valid JSON"));
}

TEST(Frames, EnvironmentValuesMustBeStrings) {
  auto json = nlohmann::json::parse(json_of(encode_frame(ToAgent(StartTrial{}))));
  json["environment"]["X"] = 1;
  EXPECT_THAT(complaint_about(json.dump()), HasSubstr("environment.X"));
  json["environment"] = nlohmann::json::array();
  EXPECT_THAT(complaint_about(json.dump()), HasSubstr("environment"));
}

TEST(Frames, DurationMustBePositive) {
  auto json = nlohmann::json::parse(json_of(encode_frame(ToAgent(StartTrial{}))));
  json["max_duration_s"] = 0;
  EXPECT_THAT(complaint_about(json.dump()), HasSubstr("max_duration_s: 0 "));
  json["max_duration_s"] = nullptr;
  EXPECT_TRUE(decode_to_agent(json.dump()));
}

TEST(Frames, DeepNestingDoesNoHarm) {
  EXPECT_THAT(complaint_about(std::string(1'000'000, '[')), HasSubstr("nests too deep"));
}

TEST(Frames, BracketsInsideStringsAreNoNesting) {
  const std::string brackets = "\\\"" + std::string(99, '[');
  EXPECT_EQ(sent_to_agent(KillTrial{brackets, "user", 0}).trial_id, brackets);
}

TEST(FrameReader, CutsAStreamFedByteByByte) {
  const std::string stream = encode_frame(ToAgent(Ack{1})) + encode_frame(ToAgent(Ack{2}));
  FrameReader reader;
  std::vector<std::string> frames;
  for (const char byte : stream) {
    reader.feed(std::string_view(&byte, 1));
    while (true) {
      const auto frame = reader.next();
      ASSERT_TRUE(frame);
      if (!*frame) break;
      frames.push_back(**frame);
    }
  }
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(std::get<Ack>(*decode_to_agent(frames[1])).sequence, 2u);
}

TEST(FrameReader, TakesManyFramesOfOneFeed) {
  std::string stream;
  for (std::uint64_t i = 1; i <= 1000; ++i) stream += encode_frame(ToAgent(Ack{i}));
  FrameReader reader;
  reader.feed(stream);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const auto frame = reader.next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ(std::get<Ack>(*decode_to_agent(**frame)).sequence, i);
  }
  EXPECT_FALSE(*reader.next());
}

TEST(FrameReader, RefusesAHostileLengthForGood) {
  FrameReader reader;
  reader.feed("\xff\xff\xff\xff{}");
  const auto first = reader.next();
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().message, HasSubstr("4294967295"));
  reader.feed(encode_frame(ToAgent(Ack{1})));
  EXPECT_FALSE(reader.next());
}

TEST(FrameReader, AcceptsTheLargestFrameAndNoLargerOne) {
  const std::string json(max_frame_bytes, ' ');
  FrameReader reader;
  reader.feed(frame_json(json));
  const auto frame = reader.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->size(), max_frame_bytes);
  EXPECT_THROW((void)frame_json(json + " "), std::length_error);
}

}  // namespace
}  // namespace lathe::proto
