#include "http/origin_guard.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/ip/address.hpp>

namespace lathe::manager {
namespace {

using boost::beast::http::verb;

/// A host with its port, as Host and Origin give it.
struct Authority {
  std::string name;  ///< lower case, without the brackets of an IPv6 address and the dot of a rooted name
  std::uint16_t port = 0;

  bool operator==(const Authority&) const = default;
};

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return port;
}

/// Reads `name[:port]` or `[address][:port]`, nothing more: no user, no path, no white space.
std::optional<Authority> parse_authority(std::string_view text, std::uint16_t default_port) {
  Authority authority;
  authority.port = default_port;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    authority.name = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (authority.name.find(':') == std::string::npos) return std::nullopt;
  } else {
    const auto end = std::min(text.find(':'), text.size());
    authority.name = text.substr(0, end);
    rest = text.substr(end);
    if (authority.name.find_first_of("@/\\?#[] \t") != std::string::npos) return std::nullopt;
    if (authority.name.size() > 1 && authority.name.back() == '.') authority.name.pop_back();
  }
  if (authority.name.empty()) return std::nullopt;
  boost::algorithm::to_lower(authority.name);
  if (rest.empty() || rest == ":") return authority;
  const auto port = rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port) return std::nullopt;
  authority.port = *port;
  return authority;
}

/// 127.0.0.0/8, ::1, and the former written as IPv6.
bool is_loopback(const boost::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

bool is_own(const std::string& name, const HttpRequest& request, const std::vector<std::string>& own_names) {
  // Of all names only this one means the loopback in every browser, whatever a name server says.
  if (name == "localhost" || std::find(own_names.begin(), own_names.end(), name) != own_names.end()) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(name, error);
  if (error) return false;
  return is_loopback(address) || address == boost::asio::ip::make_address(request.local_address, error);
}

std::optional<std::string> refuse_host(const HttpRequest& request, const std::vector<std::string>& own_names) {
  const auto count = request.headers.count("Host");
  if (count == 0 && request.version < 11) return std::nullopt;  // no browser
  if (count != 1) return "the request needs exactly one Host header";
  const std::string_view host = request.header("Host");
  const auto authority = parse_authority(host, 0);
  if (authority && is_own(authority->name, request, own_names)) return std::nullopt;
  return fmt::format(
      "the Host header names '{}', which is not this daemon's address; if it is reached by that name, "
      "start lathed with --allow-host",
      host);
}

bool is_same_origin(std::string_view origin, const HttpRequest& request) {
  for (const auto& [scheme, port] : {std::pair<std::string_view, std::uint16_t>{"https://", 443}, {"http://", 80}}) {
    if (origin.substr(0, scheme.size()) != scheme) continue;
    // A page that came in the clear may have been written by anybody on the way.
    if (request.is_secure && port == 80) return false;
    const auto site = parse_authority(origin.substr(scheme.size()), port);
    return site && site == parse_authority(request.header("Host"), port);
  }
  return false;
}

/// The origin part of a URL such as Referer.
std::string_view origin_of(std::string_view url) {
  const auto authority = url.find("://");
  if (authority == url.npos) return url;
  return url.substr(0, std::min(url.find('/', authority + 3), url.size()));
}

bool is_safe(verb method) {
  return method == verb::get || method == verb::head || method == verb::options;
}

/// Somebody follows a link, or types the address.
bool opens_page(const HttpRequest& request) {
  const bool is_api = !request.segments.empty() && request.segments.front() == "api";
  return request.method == verb::get && !is_api && request.header("Sec-Fetch-Mode") == "navigate" &&
         request.header("Sec-Fetch-Dest") == "document";
}

/// What a browser says about the page that a request without Origin comes from.
std::optional<std::string> refuse_unnamed(const HttpRequest& request) {
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (site == "same-origin" || site == "none") return std::nullopt;
  if (!site.empty() && !opens_page(request))
    return fmt::format("requests from other web sites are not accepted (Sec-Fetch-Site: {})", site);
  if (is_safe(request.method)) return std::nullopt;
  const std::string_view referer = request.header("Referer");
  if (!referer.empty() && !is_same_origin(origin_of(referer), request))
    return fmt::format("requests from the web site '{}' are not accepted", origin_of(referer));
  // Browsers that send neither Origin nor Sec-Fetch-Site with a form are old, and cannot be told from a forgery.
  if (referer.empty() && request.header("User-Agent").substr(0, 8) == "Mozilla/")
    return "a browser that does not say which site its request comes from may not change anything";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> refuse_foreign(const HttpRequest& request, const std::vector<std::string>& own_names) {
  if (auto reason = refuse_host(request, own_names)) return reason;
  const auto origins = request.headers.count("Origin");
  if (origins > 1) return "the request has more than one Origin header";
  const std::string_view origin = request.header("Origin");
  if (origins == 1 && !is_same_origin(origin, request))
    return fmt::format("requests from the web site '{}' are not accepted", origin);
  if (request.method == verb::options && request.headers.count("Access-Control-Request-Method") > 0)
    return "no other site may use this interface: CORS requests are not granted";
  return origins == 1 ? std::nullopt : refuse_unnamed(request);
}

}  // namespace lathe::manager
