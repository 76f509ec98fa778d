#include "http/sse.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

std::vector<ServerEvent> parse(SseParser& parser, std::string_view text, std::size_t piece) {
  std::vector<ServerEvent> events;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    parser.feed(text.substr(at, piece));
    while (auto event = parser.next()) events.push_back(*event);
  }
  return events;
}

constexpr std::string_view two_events =
    ": heartbeat\n\nid: e1-7\nevent: trial\ndata: {\"a\":1}\n\nevent: metric\r\ndata: one\r\ndata:two\r\n\r\n";

TEST(SseParser, ReadsEventsHoweverTheyAreCut) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}}) {
    SseParser parser;
    const auto events = parse(parser, two_events, piece);
    ASSERT_EQ(events.size(), 2u) << piece;
    EXPECT_EQ(events[0].id, "e1-7");
    EXPECT_EQ(events[0].kind, "trial");
    EXPECT_EQ(events[0].data, "{\"a\":1}");
    EXPECT_EQ(events[1].id, "e1-7") << "the id is inherited";
    EXPECT_EQ(events[1].kind, "metric");
    EXPECT_EQ(events[1].data, "one\ntwo");
  }
}

TEST(SseParser, EventsWithoutDataAreNone) {
  SseParser parser;
  EXPECT_TRUE(parse(parser, "event: trial\nid: 3\n\n", 100).empty());
  const auto events = parse(parser, "data: x\n\n", 100);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, "message");
  EXPECT_EQ(events[0].id, "3");
}

TEST(SseParser, EmptyDataIsAnEvent) {
  SseParser parser;
  const auto events = parse(parser, "event: reset\ndata:\n\n", 3);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, "reset");
  EXPECT_EQ(events[0].data, "");
}

TEST(SseParser, AnUnfinishedEventWaits) {
  SseParser parser;
  EXPECT_TRUE(parse(parser, "data: x\n", 100).empty());
  EXPECT_EQ(parse(parser, "\n", 100).size(), 1u);
}

TEST(SseParser, RetryIsANumberOrNothing) {
  SseParser parser;
  EXPECT_TRUE(parse(parser, "retry: soon\n\n", 100).empty());
  EXPECT_FALSE(parser.retry_ms());
  EXPECT_TRUE(parse(parser, "retry: 1500\n\n", 100).empty());
  EXPECT_EQ(parser.retry_ms(), 1500);
}

TEST(SseParser, SkipsAByteOrderMark) {
  SseParser parser;
  EXPECT_EQ(parse(parser,
                  "\xef\xbb\xbf"
                  "data: x\n\n",
                  1)
                .size(),
            1u);
}

}  // namespace
}  // namespace lathe::cli
