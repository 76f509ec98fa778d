#include "http/response_writer.hpp"

#include <array>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

/// RFC 9110: 1xx, 204 and 304 have no body and no Content-Length.
bool has_body(HttpStatus status) {
  return status != HttpStatus::no_content && status != HttpStatus::not_modified;
}

}  // namespace

std::string header_text(const HttpResponse& response, Framing framing, std::uint64_t length, bool keep_alive) {
  const auto reason = boost::beast::http::obsolete_reason(response.status);
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nServer: lathed\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\n",
                                 static_cast<unsigned>(response.status), std::string_view(reason.data(), reason.size()),
                                 fmt::gmtime(std::time(nullptr)));
  for (const auto& [name, value] : response.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n";
  if (response.header("Cache-Control").empty()) text += "Cache-Control: no-store\r\n";
  if (framing == Framing::Chunked) text += "Transfer-Encoding: chunked\r\n";
  if (framing == Framing::Length && has_body(response.status)) text += fmt::format("Content-Length: {}\r\n", length);
  text += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return text;
}

asio::awaitable<void> SocketBody::write(std::string_view piece) {
  if (piece.empty()) co_return;
  const std::string size_line = framing_ == Framing::Chunked ? fmt::format("{:x}\r\n", piece.size()) : std::string();
  const std::string_view end = framing_ == Framing::Chunked ? "\r\n" : "";
  const std::array<asio::const_buffer, 3> buffers{asio::buffer(size_line), asio::buffer(piece), asio::buffer(end)};
  connection_.tcp().expires_after(write_time_);
  is_writing_ = true;
  co_await asio::async_write(connection_, buffers, asio::use_awaitable);
  is_writing_ = false;
  connection_.tcp().expires_never();
  written_ += piece.size();
}

asio::awaitable<void> SocketBody::finish() {
  if (framing_ != Framing::Chunked) co_return;
  static constexpr std::string_view last_chunk = "0\r\n\r\n";
  connection_.tcp().expires_after(write_time_);
  co_await asio::async_write(connection_, asio::buffer(last_chunk), asio::use_awaitable);
  connection_.tcp().expires_never();
}

}  // namespace lathe::manager
