#include "http/origin_guard.hpp"

#include <algorithm>
#include <string_view>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/ip/address.hpp>

namespace lathe::manager {
namespace {

/// `Host` without its port and without the brackets of an IPv6 address; lower case.
std::string host_name(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const auto end = host.find(']');
    return boost::algorithm::to_lower_copy(std::string(host.substr(1, end == host.npos ? end : end - 1)));
  }
  return boost::algorithm::to_lower_copy(std::string(host.substr(0, host.find(':'))));
}

bool is_loopback(const std::string& name) {
  if (name == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(name, error);
  return !error && address.is_loopback();
}

bool is_same_site(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.substr(0, scheme.size()) != scheme) continue;
    origin.remove_prefix(scheme.size());
    return boost::algorithm::to_lower_copy(std::string(origin)) == boost::algorithm::to_lower_copy(std::string(host));
  }
  return false;
}

}  // namespace

std::optional<std::string> refuse_foreign(const HttpRequest& request, const std::vector<std::string>& own_names) {
  const std::string_view host = request.header("Host");
  if (!host.empty() || request.version >= 11) {
    const std::string name = host_name(host);
    const bool is_own = std::find(own_names.begin(), own_names.end(), name) != own_names.end();
    if (!is_loopback(name) && name != request.local_address && !is_own) {
      return "the Host header names '" + std::string(host) + "', which is not this daemon's address";
    }
  }
  const std::string_view origin = request.header("Origin");
  if (!origin.empty() && !is_same_site(origin, host)) {
    return "requests from the web site '" + std::string(origin) + "' are not accepted";
  }
  return std::nullopt;
}

}  // namespace lathe::manager
