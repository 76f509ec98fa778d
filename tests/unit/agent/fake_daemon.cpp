#include "fake_daemon.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "socket_path.hpp"

namespace lathe::agent {
namespace {

constexpr int patience_ms = 30'000;

template <class Event>
const Event* event_of(const proto::SequencedEvent& sequenced, const std::string& trial_id) {
  const auto* event = std::get_if<Event>(&sequenced.event);
  return event != nullptr && event->trial_id == trial_id ? event : nullptr;
}

}  // namespace

FakeDaemon::FakeDaemon(const std::filesystem::path& state_dir)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto path = SocketPath::open(state_dir);
  if (!path) throw std::runtime_error(path.error().message);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path->text().c_str(), sizeof address.sun_path - 1);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(describe_errno("connect"));
  }
  const auto first = receive();
  if (!first) throw std::runtime_error("no hello");
  hello_ = std::get<proto::Hello>(*first);
}

void FakeDaemon::send_bytes(const std::string& bytes) {
  if (::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error(describe_errno("send"));
  }
}

std::optional<proto::FromAgent> FakeDaemon::receive() {
  while (true) {
    const auto frame = frames_.next();
    if (!frame) throw std::runtime_error(frame.error().message);
    if (*frame) return proto::decode_from_agent(**frame).value();
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, patience_ms) != 1) throw std::runtime_error("the agent says nothing");
    std::array<char, 65536> bytes{};
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count <= 0) return std::nullopt;
    frames_.feed({bytes.data(), static_cast<std::size_t>(count)});
  }
}

bool FakeDaemon::take() {
  const auto message = receive();
  if (!message) return false;
  if (const auto* report = std::get_if<proto::HostReport>(&*message)) {
    reports.push_back(*report);
  } else if (const auto* note = std::get_if<proto::TrialNote>(&*message)) {
    notes.push_back(*note);
  } else if (const auto* text = std::get_if<proto::LogText>(&*message)) {
    texts.push_back(*text);
  } else {
    events.push_back(std::get<proto::SequencedEvent>(*message));
  }
  return true;
}

std::optional<proto::SequencedEvent> FakeDaemon::next() {
  const std::size_t before = events.size();
  while (events.size() == before) {
    if (!take()) return std::nullopt;
  }
  return events.back();
}

proto::HostReport FakeDaemon::wait_for_report() {
  const std::size_t before = reports.size();
  while (reports.size() == before) {
    if (!take()) throw std::runtime_error("the connection has ended before a report");
  }
  return reports.back();
}

proto::LogText FakeDaemon::wait_for_text(std::uint64_t request) {
  for (;;) {
    for (const proto::LogText& text : texts) {
      if (text.request == request) return text;
    }
    if (!take()) throw std::runtime_error("the connection has ended before the text was there");
  }
}

proto::TrialExited FakeDaemon::wait_for_exit(const std::string& trial_id) {
  while (const auto event = next()) {
    if (const auto* exited = event_of<proto::TrialExited>(*event, trial_id)) return *exited;
  }
  throw std::runtime_error("the connection has ended before trial " + trial_id);
}

proto::TrialMetric FakeDaemon::wait_for_metric(const std::string& trial_id) {
  while (const auto event = next()) {
    if (const auto* metric = event_of<proto::TrialMetric>(*event, trial_id)) return *metric;
  }
  throw std::runtime_error("the connection has ended before a metric of trial " + trial_id);
}

void FakeDaemon::wait_for_close() {
  while (next()) continue;
}

std::vector<std::string> FakeDaemon::metrics_of(const std::string& trial_id) const {
  std::vector<std::string> payloads;
  for (const auto& event : events) {
    if (const auto* metric = event_of<proto::TrialMetric>(event, trial_id)) payloads.push_back(metric->payload);
  }
  return payloads;
}

}  // namespace lathe::agent
