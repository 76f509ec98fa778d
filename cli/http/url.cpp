#include "http/url.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>
#include <boost/url.hpp>

#include "output/text.hpp"

namespace lathe::cli {
namespace {

namespace urls = boost::urls;

std::string encode(std::string_view text) {
  return urls::encode(text, urls::unreserved_chars);
}

/// `.` and `..` mean something in a path even though they need no encoding.
std::string encode_segment(std::string_view segment) {
  if (segment == ".") return "%2E";
  if (segment == "..") return "%2E%2E";
  return encode(segment);
}

/// 1..65535; Boost.URL's own reading of the number does not tell an overflow.
std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  return whole && port > 0 ? std::optional(port) : std::nullopt;
}

}  // namespace

std::string BaseUrl::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}:{}", is_ipv6 ? "[" + host + "]" : host, port);
}

std::string BaseUrl::to_string() const {
  return fmt::format("{}://{}{}", is_secure ? "https" : "http", authority(), prefix);
}

bool BaseUrl::is_loopback() const {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

Outcome<BaseUrl> parse_base_url(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return fail(fmt::format("--url {}: {}, expected something like http://127.0.0.1:8080", escape(text), why),
                ExitCode::Usage);
  };
  const std::string full =
      text.find("://") == std::string_view::npos ? "http://" + std::string(text) : std::string(text);
  const auto parsed = urls::parse_uri(full);
  if (!parsed) return refuse("not a URL");
  if (parsed->scheme() != "http" && parsed->scheme() != "https") return refuse("only http and https are spoken");
  if (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment())
    return refuse("only host, port and path may be given");
  if (parsed->host_address().empty()) return refuse("the host is missing");
  BaseUrl url;
  url.is_secure = parsed->scheme() == "https";
  url.host = parsed->host_address();
  if (parsed->has_port()) {
    const auto port = parse_port(std::string_view(parsed->port()));
    if (!port) return refuse("the port is not in 1..65535");
    url.port = std::to_string(*port);
  }
  url.prefix = std::string(parsed->encoded_path());
  while (!url.prefix.empty() && url.prefix.back() == '/') url.prefix.pop_back();
  return url;
}

std::string api_path(std::initializer_list<std::string_view> segments) {
  std::string path = "/api/v1";
  for (const auto segment : segments) path += "/" + encode_segment(segment);
  return path;
}

std::string with_query(std::string path, const Query& query) {
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += separator + encode(name) + "=" + encode(value);
    separator = '&';
  }
  return path;
}

}  // namespace lathe::cli
