#include "api/event_stream.hpp"

#include <gtest/gtest.h>

#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

class Events : public LiveApi {
 protected:
  void publish(const std::string& kind, const std::string& data, const std::string& experiment = "abcd1234") {
    server_->on_loop([&] { service_.events().publish(experiment, kind, data); });
  }
  std::string id(std::uint64_t number) { return service_.events().epoch() + "-" + std::to_string(number); }
  Client listen(const std::string& target, const std::string& last_id = "") {
    Client listener = client();
    listener.request("GET", target, last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n");
    const std::string header = listener.read_until("\r\n\r\n");
    EXPECT_NE(header.find("text/event-stream"), std::string::npos);
    return listener;
  }
};

TEST(EventStream, FormatsEveryLineOfTheData) {
  EXPECT_EQ(format_event("e-1", "trial", "a\nb"), "id: e-1\nevent: trial\ndata: a\ndata: b\n\n");
}

TEST(EventStream, FormatsAnEventOnceForAllStreams) {
  EventBus bus;
  EventFrames frames;
  std::vector<EventFrames::Frame> heard;
  const auto first = bus.subscribe([&](const Event& event) { heard.push_back(frames.of(bus, event)); });
  const auto second = bus.subscribe([&](const Event& event) { heard.push_back(frames.of(bus, event)); });
  bus.publish("e", "trial", "1");
  bus.publish("e", "trial", "2");
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[0], heard[1]);
  EXPECT_EQ(heard[2], heard[3]);
  EXPECT_EQ(*heard[2], "id: " + bus.epoch() + "-2\nevent: trial\ndata: 2\n\n");
}

TEST_F(Events, OfNoExperimentComeOnTheStreamOfAll) {
  Client all = listen("/api/v1/events?kinds=host,daemon,trial");
  Client one = listen("/api/v1/experiments/abcd1234/events");
  publish("host", "1", "");
  publish("daemon", "2", "");
  publish("trial", "3");
  EXPECT_NE(all.read_until("data: 3\n").find("event: host\ndata: 1\n"), std::string::npos);
  const std::string text = one.read_until("data: 3\n");
  EXPECT_EQ(text.find("data: 1"), std::string::npos);
  EXPECT_EQ(text.find("data: 2"), std::string::npos);
}

TEST_F(Events, AreToldAsTheyHappen) {
  Client listener = listen("/api/v1/events");
  EXPECT_NE(listener.read_until("\n\n").find("id: " + id(0) + "\nevent: ready\ndata: {}\n\n"), std::string::npos);
  publish("trial", R"({"id":"Taaaa"})");
  EXPECT_NE(listener.read_until("\n\n").find("id: " + id(1) + "\nevent: trial\ndata: {\"id\":\"Taaaa\"}\n\n"),
            std::string::npos);
}

TEST_F(Events, OfOneExperimentAndOfSomeKindsOnly) {
  service_.experiments["other123"].id = "other123";
  Client listener = listen("/api/v1/experiments/abcd1234/events?kinds=trial,experiment");
  listener.read_until("ready");
  publish("trial", "1", "other123");
  publish("metric", "2");
  publish("experiment", "3");
  const std::string text = listener.read_until("data: 3\n");
  EXPECT_EQ(text.find("data: 1"), text.npos);
  EXPECT_EQ(text.find("data: 2"), text.npos);
  EXPECT_EQ(get("/api/v1/experiments/nothere1/events").status, 404u);
}

TEST_F(Events, AreResumedWhereTheyBrokeOff) {
  for (int n = 1; n <= 3; ++n) publish("trial", std::to_string(n));
  Client listener = listen("/api/v1/events", id(1));
  const std::string text = listener.read_until("data: 3\n");
  EXPECT_EQ(text.find("data: 1"), text.npos);
  EXPECT_NE(text.find("data: 2"), text.npos);
  Client by_query = listen("/api/v1/events?lastEventId=" + id(2));
  EXPECT_EQ(by_query.read_until("data: 3\n").find("data: 2"), std::string::npos);
}

TEST_F(Events, BeginAnewWhenTheyCannotBeResumed) {
  for (int n = 1; n <= 20; ++n) publish("trial", std::to_string(n));
  for (const std::string& lost :
       {id(1), std::string("otherepoch-19"), std::string("rubbish"), id(999), service_.events().epoch() + "-1x"}) {
    Client listener = listen("/api/v1/events", lost);
    EXPECT_NE(listener.read_until("\n\n").find("id: " + id(20) + "\nevent: reset\n"), std::string::npos) << lost;
  }
}

TEST_F(Events, EndWhenTheServerStops) {
  Client listener = listen("/api/v1/events");
  listener.read_until("ready");
  server_->stop();
  listener.read_until("0\r\n\r\n");
}

/// Takes the first piece, and the next ones only when told.
class Recorder : public BodyStream {
 public:
  boost::asio::awaitable<void> write(std::string_view piece) override {
    text += piece;
    if (on_write) on_write();
    co_return;
  }
  std::string text;
  std::function<void()> on_write;
};

TEST(EventStream, BeatsWhenThereIsNothingToTell) {
  boost::asio::io_context loop;
  EventBus bus;
  EventStreamOptions options;
  options.heartbeat = std::chrono::milliseconds(1);
  const HttpResponse response = event_stream(bus, std::make_shared<EventFrames>(), options);
  Recorder recorder;
  recorder.on_write = [&] {
    if (recorder.text.find(":\n\n:\n\n") != std::string::npos) loop.stop();
  };
  boost::asio::co_spawn(loop, response.producer(recorder), [](std::exception_ptr) {});
  loop.run_for(std::chrono::seconds(10));
  EXPECT_NE(recorder.text.find("ready"), std::string::npos);
  EXPECT_NE(recorder.text.find(":\n\n:\n\n"), std::string::npos);
}

TEST(EventStream, DropsAClientThatFallsBehind) {
  boost::asio::io_context loop;
  EventBus bus;
  EventStreamOptions options;
  options.queue_bytes = 1000;
  const HttpResponse response = event_stream(bus, std::make_shared<EventFrames>(), options);
  Recorder recorder;
  recorder.on_write = [&] {
    for (int n = 0; n < 20; ++n) bus.publish("abcd1234", "trial", std::string(100, 'x'));
  };
  std::string reason;
  boost::asio::co_spawn(loop, response.producer(recorder), [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      reason = error.what();
    }
  });
  loop.run_for(std::chrono::seconds(10));
  EXPECT_EQ(reason, "the client reads too slowly");
}

}  // namespace
}  // namespace lathe::manager::testing
