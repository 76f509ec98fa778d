#include "http/tls.hpp"

#include <stdlib.h>

#include <gtest/gtest.h>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "certificates.hpp"
#include "live_server.hpp"

namespace lathe::manager::testing {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace ssl = boost::asio::ssl;

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lathe-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    write_file(files().certificate, server_.certificate());
    write_file(files().key, server_.key());
  }
  void TearDown() override { fs::remove_all(folder_); }

  TlsFiles files() const { return {folder_ / "server.crt", folder_ / "server.key"}; }
  std::string refusal() const {
    const auto loaded = load_tls(files());
    return loaded ? "" : loaded.error().message;
  }

  /// What the server answers to one request over TLS; the error of the handshake when there is none.
  std::string ask(LiveServer& server, const Identity& trusted, int version = TLS1_3_VERSION) {
    ssl::context context(ssl::context::tls_client);
    const std::string authority = trusted.certificate();
    context.add_certificate_authority(asio::buffer(authority));
    context.set_verify_mode(ssl::verify_peer);
    SSL_CTX_set_max_proto_version(context.native_handle(), version);
    asio::io_context loop;
    ssl::stream<tcp::socket> stream(loop, context);
    stream.set_verify_callback(ssl::host_name_verification("localhost"));
    stream.lowest_layer().connect({asio::ip::address_v4::loopback(), server.port()});
    boost::system::error_code error;
    stream.handshake(ssl::stream_base::client, error);
    if (error) return error.message();
    asio::write(stream, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")));
    std::string text;
    std::array<char, 4096> bytes;
    while (!error) text.append(bytes.data(), stream.read_some(asio::buffer(bytes), error));
    return error == asio::error::eof ? text : error.message();
  }

  static asio::awaitable<HttpResponse> greet(HttpRequest& request) {
    co_return text_response(request.is_secure ? "secret" : "open");
  }

  fs::path folder_;
  Identity authority_{"test authority", ""};
  Identity server_{"localhost", "DNS:localhost,IP:127.0.0.1", &authority_};
};

TEST_F(Tls, AnswersOverAnEncryptedConnection) {
  LiveServer server(greet, {}, {}, load_tls(files()).value());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string answer = ask(server, authority_, version);
    EXPECT_NE(answer.find("HTTP/1.1 200"), std::string::npos) << answer;
    EXPECT_NE(answer.find("secret"), std::string::npos) << answer;
  }
}

TEST_F(Tls, IsNotTrustedByWhoTrustsAnother) {
  LiveServer server(greet, {}, {}, load_tls(files()).value());
  const Identity other("another authority", "");
  EXPECT_NE(ask(server, other).find("verify failed"), std::string::npos);
}

TEST_F(Tls, RefusesOldVersions) {
  LiveServer server(greet, {}, {}, load_tls(files()).value());
  EXPECT_EQ(ask(server, authority_, TLS1_1_VERSION).find("HTTP/1.1"), std::string::npos);
}

TEST_F(Tls, TellsAPlainClientWhatThePortSpeaks) {
  LiveServer server(greet, {}, {}, load_tls(files()).value());
  Client client(server.port());
  const ClientResponse answer = client.ask("GET", "/");
  EXPECT_EQ(answer.status, 400u);
  EXPECT_NE(answer.body.find("https"), std::string::npos);
}

TEST_F(Tls, LiveStreamsEndWhenTheClientLeaves) {
  const auto follow = [](HttpRequest&) -> asio::awaitable<HttpResponse> {
    HttpResponse response = stream_response("text/plain", [](BodyStream& out) -> asio::awaitable<void> {
      co_await out.write("first\n");
      asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    });
    response.is_live = true;
    co_return response;
  };
  LiveServer server(follow, {}, {}, load_tls(files()).value());
  {
    ssl::context context(ssl::context::tls_client);
    asio::io_context loop;
    ssl::stream<tcp::socket> stream(loop, context);
    stream.lowest_layer().connect({asio::ip::address_v4::loopback(), server.port()});
    stream.handshake(ssl::stream_base::client);
    asio::write(stream, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));
    std::string text;
    std::array<char, 4096> bytes;
    while (text.find("first") == text.npos) text.append(bytes.data(), stream.read_some(asio::buffer(bytes)));
    EXPECT_EQ(server.connections(), 1u);
    // Words of TLS lie in front of the end.
    SSL_shutdown(stream.native_handle());
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (server.connections() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(server.connections(), 0u);
}

TEST_F(Tls, SaysWhatIsWrongWithItsFiles) {
  EXPECT_EQ(refusal(), "");
  fs::permissions(files().key, fs::perms(0644));
  EXPECT_NE(refusal().find("chmod o-rwx"), std::string::npos);
  fs::permissions(files().key, fs::perms(0640));
  EXPECT_EQ(refusal(), "");
  write_file(files().key, server_.key("a passphrase"));
  EXPECT_NE(refusal().find("passphrase"), std::string::npos) << refusal();
  write_file(files().key, authority_.key());
  EXPECT_NE(refusal().find("does not belong"), std::string::npos) << refusal();
  write_file(files().key, "nonsense");
  EXPECT_NE(refusal().find("no private key"), std::string::npos);
  write_file(files().certificate, "nonsense");
  EXPECT_NE(refusal().find("server.crt: it has no certificate"), std::string::npos);
  fs::remove(files().certificate);
  EXPECT_NE(refusal().find("No such file"), std::string::npos);
}

TEST_F(Tls, RefusesWeakKeys) {
  const Identity weak("localhost", "DNS:localhost", &authority_, 1024);
  write_file(files().certificate, weak.certificate());
  write_file(files().key, weak.key());
  EXPECT_NE(refusal().find("too short"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace lathe::manager::testing
