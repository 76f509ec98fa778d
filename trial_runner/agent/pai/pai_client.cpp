#include "pai/pai_client.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "descriptor.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

constexpr std::size_t most_requests = 8;
constexpr std::size_t longest_token = 16'384;
constexpr mode_t of_others = 077;

/// What a path or a query takes as it stands; everything else as %XX.
std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char c : text) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    encoded += is_plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return encoded;
}

}  // namespace

proto::Result<std::string> read_token(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file.is_open() || ::fstat(file.get(), &info) != 0) {
    return proto::fail(describe_errno("cannot read the token in " + path.string()));
  }
  if ((info.st_mode & of_others) != 0) {
    return proto::fail(fmt::format("others can read the token in {}; expected mode 0600", path.string()));
  }
  std::string token(longest_token, '\0');
  const ssize_t count = ::read(file.get(), token.data(), token.size());
  token.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  const bool is_token = std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > ' ' && c < 127; });
  if (token.empty() || !is_token)
    return proto::fail(path.string() + " holds no token; expected one on a line of its own");
  return token;
}

PaiClient::PaiClient(boost::asio::io_context& io, Children& children, PaiAccess access, PaiTimes times)
    : io_(io), children_(children), access_(std::move(access)), times_(times) {}

PaiClient::~PaiClient() {
  for (const auto& [number, request] : running_) request->stop();
}

// ---- PAI's API ------------------------------------------------------------------------------------------------------

std::string PaiClient::job_path(const std::string& job) const {
  return "/rest-server/api/v2/jobs/" + access_.user + "~" + job;
}

void PaiClient::submit(const std::string& protocol, HttpRequest::Done done) {
  ask({"POST", "/rest-server/api/v2/jobs", "text/yaml", protocol, {}}, std::move(done));
}

void PaiClient::list(const std::string& names, HttpRequest::Done done) {
  ask({"GET",
       "/rest-server/api/v2/jobs?username=" + percent_encoded(access_.user) + "&keyword=" + percent_encoded(names),
       {},
       {},
       {}},
      std::move(done));
}

void PaiClient::detail(const std::string& job, HttpRequest::Done done) {
  ask({"GET", job_path(job), {}, {}, {}}, std::move(done));
}

void PaiClient::stop(const std::string& job, HttpRequest::Done done) {
  ask({"PUT", job_path(job) + "/executionType", "application/json", R"({"value": "STOP"})", {}}, std::move(done));
}

void PaiClient::virtual_cluster(const std::string& name, HttpRequest::Done done) {
  ask({"GET", "/rest-server/api/v2/virtual-clusters/" + percent_encoded(name), {}, {}, {}}, std::move(done));
}

// ---- one after the other --------------------------------------------------------------------------------------------

void PaiClient::ask(HttpQuestion question, HttpRequest::Done done) {
  waiting_.push_back({std::move(question), std::move(done)});
  boost::asio::post(io_, [this, weak = std::weak_ptr(alive_)] {
    if (!weak.expired()) next();
  });
}

void PaiClient::next() {
  while (running_.size() < most_requests && !waiting_.empty()) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(waiting));
  }
}

proto::Result<TlsTrust> PaiClient::trust() {
  const auto address = HttpAddress::parse(access_.url);
  if (trust_ || !address || !address->is_secure) return trust_;
  auto made = make_trust(access_.ca_file.string());
  if (made) trust_ = *made;
  return made;
}

/// What keeps a request from being made at all is told as an answer that never came.
void PaiClient::start(Waiting waiting) {
  const auto refuse = [&](const std::string& why) { waiting.done({0, {}, {}, why}); };
  auto address = HttpAddress::parse(access_.url);
  if (!address) return refuse(address.error().message);
  const auto token = read_token(access_.token_file);
  if (!token) return refuse(token.error().message);
  const auto trusted = trust();
  if (!trusted) return refuse(trusted.error().message);
  waiting.question.bearer_token = *token;
  const std::uint64_t number = next_++;
  running_[number] =
      HttpRequest::start(io_, children_, std::move(*address), *trusted, waiting.question, times_.patience,
                         [this, number, done = std::move(waiting.done)](HttpAnswer answer) {
                           running_.erase(number);
                           const std::weak_ptr weak(alive_);
                           done(std::move(answer));
                           if (!weak.expired()) next();
                         });
}

}  // namespace lathe::agent
