#include "pai/http_address.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace lathe::agent {
namespace {

constexpr int largest_port = 65'535;

bool is_one_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](unsigned char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_letter || others.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= largest_port;
}

}  // namespace

proto::Result<HttpAddress> HttpAddress::parse(const std::string& url) {
  const auto refuse = [&] {
    return proto::fail("\"" + url + "\" is no address; expected https://HOST or https://HOST:PORT");
  };
  HttpAddress address;
  std::string_view rest = url;
  address.is_secure = rest.starts_with("https://");
  if (!address.is_secure && !rest.starts_with("http://")) return refuse();
  rest.remove_prefix(rest.find("//") + 2);
  const auto slash = rest.find('/');
  std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  rest = rest.substr(0, slash);
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string_view host = rest.substr(0, colon);
  address.port = colon == std::string_view::npos ? (address.is_secure ? "443" : "80") : rest.substr(colon + 1);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || !is_port(address.port)) return refuse();
  if (!is_one_of(host, is_bracketed ? ":." : "-._") || host.starts_with('-')) return refuse();
  if (!is_one_of(path, "/-._~") || path.find("..") != std::string_view::npos) return refuse();
  address.host = host;
  address.path = path;
  return address;
}

std::string HttpAddress::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool is_default = port == (is_secure ? "443" : "80");
  return is_default ? name : name + ":" + port;
}

}  // namespace lathe::agent
