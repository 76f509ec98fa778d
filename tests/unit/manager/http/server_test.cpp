#include "http/server.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "live_server.hpp"

namespace lathe::manager::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// `/echo` gives the body back, `/throw` fails, `/stream` writes three pieces, `/live` writes "ready" and then waits.
asio::awaitable<HttpResponse> play(HttpRequest& request) {
  if (request.path == "/throw") throw std::runtime_error("as asked");
  if (request.path == "/stream") {
    co_return stream_response("text/plain", [](BodyStream& out) -> asio::awaitable<void> {
      for (const char* piece : {"one ", "two ", "three"}) co_await out.write(piece);
    });
  }
  if (request.path == "/broken") {
    co_return stream_response("text/plain", [](BodyStream& out) -> asio::awaitable<void> {
      co_await out.write("part");
      throw std::runtime_error("disk gone");
    });
  }
  if (request.path == "/live") {
    HttpResponse response = stream_response("text/plain", [](BodyStream& out) -> asio::awaitable<void> {
      co_await out.write("ready");
      asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
      co_await forever.async_wait(asio::use_awaitable);
    });
    response.is_live = true;
    co_return response;
  }
  co_return text_response(request.body.empty() ? "hello" : request.body);
}

std::string with_host(std::string_view line, std::string_view rest = "") {
  return std::string(line) + "\r\nHost: localhost\r\n" + std::string(rest) + "\r\n";
}

TEST(Server, KeepsTheConnectionAlive) {
  LiveServer server(play);
  Client client(server.port());
  for (int round = 0; round < 3; ++round)
    EXPECT_EQ(client.ask("POST", "/echo", "", "body " + std::to_string(round)).body, "body " + std::to_string(round));
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  LiveServer server(play);
  Client client(server.port());
  client.send(with_host("POST /echo HTTP/1.1", "Content-Length: 1\r\n") + "1" +
              with_host("POST /echo HTTP/1.1", "Content-Length: 1\r\n") + "2");
  EXPECT_EQ(client.receive().body, "1");
  EXPECT_EQ(client.receive().body, "2");
}

TEST(Server, ClosesWhenAskedTo) {
  LiveServer server(play);
  Client client(server.port());
  EXPECT_EQ(client.ask("GET", "/", "Connection: close\r\n").header("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, HeadHasTheLengthButNoBody) {
  LiveServer server(play);
  Client client(server.port());
  const ClientResponse head = client.ask("HEAD", "/");
  EXPECT_EQ(head.header("Content-Length"), "5");
  EXPECT_EQ(client.ask("GET", "/").body, "hello");
}

TEST(Server, StreamsInChunksAndKeepsTheConnection) {
  LiveServer server(play);
  Client client(server.port());
  const ClientResponse stream = client.ask("GET", "/stream");
  EXPECT_EQ(stream.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(stream.body, "one two three");
  EXPECT_EQ(client.ask("GET", "/").body, "hello");
}

TEST(Server, StreamsToHttp10UntilTheEndOfTheConnection) {
  LiveServer server(play);
  Client client(server.port());
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  const ClientResponse stream = client.receive();
  EXPECT_EQ(stream.header("Transfer-Encoding"), "");
  EXPECT_EQ(stream.body, "one two three");
}

TEST(Server, ABrokenStreamIsNotTakenForAWholeOne) {
  LiveServer server(play);
  Client client(server.port());
  client.request("GET", "/broken");
  EXPECT_THROW(client.receive(), boost::system::system_error);
  Client another(server.port());
  EXPECT_EQ(another.ask("GET", "/").status, 200u);
}

TEST(Server, AnExceptionIsA500OfThatRequestOnly) {
  LiveServer server(play);
  Client client(server.port());
  const ClientResponse failed = client.ask("GET", "/throw");
  EXPECT_EQ(failed.status, 500u);
  EXPECT_EQ(nlohmann::json::parse(failed.body)["status"], 500);
  EXPECT_EQ(client.ask("GET", "/").status, 200u);
}

TEST(Server, RefusesWhatIsNotHttp) {
  LiveServer server(play);
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02 hello\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n"), with_host("GET /%zz HTTP/1.1"),
        with_host("GET / HTTP/1.1", "Content-Length: x\r\n"), with_host("GET / HTTP/1.1", "no colon here\r\n")}) {
    Client client(server.port());
    client.send(bytes);
    const ClientResponse refused = client.receive();
    EXPECT_EQ(refused.status, 400u) << bytes;
    EXPECT_EQ(refused.header("Content-Type"), "application/problem+json");
    EXPECT_TRUE(client.is_closed());
  }
}

TEST(Server, RefusesHeadersThatAreTooLarge) {
  LiveServer server(play);
  Client client(server.port());
  client.try_send(with_host("GET / HTTP/1.1", "X: " + std::string(100000, 'x') + "\r\n"));
  EXPECT_EQ(client.receive().status, 431u);
}

TEST(Server, RefusesAHundredMegabytesAndTheClientSeesIt) {
  LiveServer server(play);
  Client client(server.port());
  constexpr std::size_t total = 100 << 20;
  client.send(with_host("POST /echo HTTP/1.1", "Content-Length: " + std::to_string(total) + "\r\n"));
  // Like a client that looks for the answer only when all is sent.
  const std::string piece(1 << 20, 'x');
  for (std::size_t sent = 0; sent < total; sent += piece.size()) ASSERT_TRUE(client.try_send(piece)) << sent;
  const ClientResponse refused = client.receive();
  EXPECT_EQ(refused.status, 413u);
  EXPECT_EQ(refused.header("Content-Type"), "application/problem+json");
}

TEST(Server, RefusesAChunkedBodyThatGrowsTooLarge) {
  HttpLimits limits;
  limits.body_bytes = 1000;
  LiveServer server(play, limits);
  Client client(server.port());
  client.send(with_host("POST /echo HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "800\r\n" + std::string(0x800, 'x') +
              "\r\n");
  EXPECT_EQ(client.receive().status, 413u);
}

TEST(Server, AsksForTheBodyOnlyWhenItWillBeRead) {
  LiveServer server(play);
  Client small(server.port());
  small.send(with_host("POST /echo HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
  EXPECT_EQ(small.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  small.send("ok");
  EXPECT_EQ(small.receive().body, "ok");
  Client large(server.port());
  large.send(with_host("POST /echo HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 99999999\r\n"));
  EXPECT_EQ(large.receive().status, 413u);
}

TEST(Server, DropsWhoStopsInTheMiddle) {
  HttpLimits limits;
  limits.read_time = 50ms;
  limits.idle_time = 50ms;
  LiveServer server(play, limits);
  Client silent(server.port());
  EXPECT_TRUE(silent.is_closed());
  Client half(server.port());
  half.send(with_host("POST /echo HTTP/1.1", "Content-Length: 10\r\n") + "12345");
  EXPECT_TRUE(half.is_closed());
}

TEST(Server, TurnsAwayTheConnectionThatIsOneTooMany) {
  HttpLimits limits;
  limits.connections = 1;
  LiveServer server(play, limits);
  Client first(server.port());
  EXPECT_EQ(first.ask("GET", "/").status, 200u);
  Client second(server.port());
  const ClientResponse refused = second.receive();
  EXPECT_EQ(refused.status, 503u);
  EXPECT_EQ(refused.header("Retry-After"), "5");
  EXPECT_EQ(first.ask("GET", "/").status, 200u);
}

TEST(Server, TellsThatThePortIsInUse) {
  LiveServer server(play);
  asio::io_context loop;
  HttpServer another(loop.get_executor(), {}, {play, {}});
  const auto refused = another.listen("127.0.0.1", server.port());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().field, "port");
  EXPECT_EQ(refused.error().message,
            "port " + std::to_string(server.port()) + " is in use by another program; choose another with --port");
}

TEST(Server, NoticesThatTheClientOfALiveStreamIsGone) {
  LiveServer server(play);
  {
    Client client(server.port());
    client.request("GET", "/live");
    client.read_until("ready");
  }
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (server.connections() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(server.connections(), 0u);
}

TEST(Server, ShutdownEndsLiveStreamsAndIdleConnections) {
  LiveServer server(play);
  Client idle(server.port());
  idle.ask("GET", "/");
  Client live(server.port());
  live.request("GET", "/live");
  live.read_until("ready");
  server.stop();
  EXPECT_EQ(live.read_until("0\r\n\r\n"), "\r\n0\r\n\r\n");
  EXPECT_TRUE(live.is_closed());
  EXPECT_TRUE(idle.is_closed());
  EXPECT_EQ(server.connections(), 0u);
}

TEST(Server, DropsAClientThatTakesNothing) {
  HttpLimits limits;
  limits.write_time = 100ms;
  LiveServer server(
      [](HttpRequest&) -> asio::awaitable<HttpResponse> {
        co_return stream_response("text/plain", [](BodyStream& out) -> asio::awaitable<void> {
          const std::string piece(1 << 20, 'x');
          for (;;) co_await out.write(piece);
        });
      },
      limits);
  Client client(server.port());
  client.request("GET", "/");
  client.read_until("xxx");
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (server.connections() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(server.connections(), 0u);
}

}  // namespace
}  // namespace lathe::manager::testing
