#include "http/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "problem.hpp"

namespace lathe::cli {
namespace {

constexpr std::chrono::milliseconds first_delay{200};
constexpr std::chrono::milliseconds longest_delay{5000};
/// The daemon sends a heartbeat every 15 s: silence for longer means that the connection is dead without having been
/// closed.
constexpr std::chrono::seconds longest_silence{45};

}  // namespace

EventStream::EventStream(const HttpClient& client, std::string target, std::chrono::milliseconds give_up)
    : client_(client), target_(std::move(target)), give_up_(give_up), delay_(first_delay) {}

Outcome<EventStream::Item> EventStream::next(Clock::time_point deadline) {
  while (true) {
    if (auto event = parser_.next()) {
      last_id_ = event->id;
      return *std::move(event);
    }
    if (!stream_) return connect(deadline);
    std::string bytes;
    switch (stream_->read(bytes, std::min(deadline, last_heard_ + longest_silence))) {
      case ReadEnd::Data:
        last_heard_ = Clock::now();
        parser_.feed(bytes);
        break;
      case ReadEnd::TimedOut:
        if (Clock::now() < last_heard_ + longest_silence) return StreamNotice::TimedOut;
        return lost({ExitCode::Unreachable, "lathed at " + client_.url().to_string() + " has gone silent"});
      case ReadEnd::Interrupted:
        return StreamNotice::Interrupted;
      case ReadEnd::Finished:
      case ReadEnd::Broken:
        return lost({ExitCode::Unreachable, "lathed at " + client_.url().to_string() + " hung up"});
    }
  }
}

Outcome<EventStream::Item> EventStream::connect(Clock::time_point deadline) {
  if (!client_.sleep_until(std::min(next_try_, deadline))) return StreamNotice::Interrupted;
  if (Clock::now() < next_try_) return StreamNotice::TimedOut;
  Request request{"GET", target_, {}, {}, {{"Accept", "text/event-stream"}}};
  if (!last_id_.empty()) request.headers.emplace_back("Last-Event-ID", last_id_);
  auto opened = client_.open(request);
  if (!opened && opened.error().code == ExitCode::Interrupted) return StreamNotice::Interrupted;
  if (!opened) return lost(std::move(opened.error()));
  if (opened->status() >= 500) return lost({ExitCode::Failed, "lathed answered " + std::to_string(opened->status())});
  if (opened->status() != 200) return tl::unexpected<Failure>(failure_of_stream(*opened));
  stream_ = *std::move(opened);
  parser_ = SseParser();
  last_heard_ = Clock::now();
  was_connected_ = true;
  lost_since_.reset();
  delay_ = first_delay;
  return StreamNotice::Connected;
}

Outcome<EventStream::Item> EventStream::lost(Failure why) {
  stream_.reset();
  const auto now = Clock::now();
  if (!lost_since_) lost_since_ = now;
  if (!was_connected_ || now - *lost_since_ >= give_up_) return tl::unexpected<Failure>(std::move(why));
  next_try_ = now + delay_;
  delay_ = std::min(delay_ * 2, longest_delay);
  return StreamNotice::Disconnected;
}

}  // namespace lathe::cli
