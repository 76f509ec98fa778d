#include "api/event_stream.hpp"

#include <charconv>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>

#include "api/waker.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

constexpr std::size_t batch_bytes = 64 * 1024;
constexpr std::string_view heartbeat_text = ":\n\n";

/// The number of `<epoch>-<n>` when it is of this epoch.
std::optional<std::uint64_t> number_of(std::string_view id, std::string_view epoch) {
  const auto dash = id.rfind('-');
  if (dash == id.npos || id.substr(0, dash) != epoch) return std::nullopt;
  const std::string_view digits = id.substr(dash + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::string id_text(const EventBus& bus, std::uint64_t number) {
  return fmt::format("{}-{}", bus.epoch(), number);
}

class EventSender {
 public:
  EventSender(EventBus& bus, EventFrames& frames, const EventStreamOptions& options, asio::any_io_executor loop)
      : bus_(bus), frames_(frames), options_(options), waker_(std::make_shared<Waker>(loop)) {}

  asio::awaitable<void> run(BodyStream& out) {
    const auto subscription = bus_.subscribe([this](const Event& event) { enqueue(event); });
    begin();
    for (;;) {
      if (is_overflowed_) throw std::runtime_error("the client reads too slowly");
      if (!queue_.empty()) {
        co_await write_some(out);
      } else if (!co_await waker_->sleep(options_.heartbeat)) {
        co_await out.write(heartbeat_text);
      }
    }
  }

 private:
  /// One event as it is; more of them together, up to a bound.
  asio::awaitable<void> write_some(BodyStream& out) {
    const EventFrames::Frame first = take();
    if (queue_.empty()) {
      co_await out.write(*first);
      co_return;
    }
    std::string batch = *first;
    while (!queue_.empty() && batch.size() < batch_bytes) batch += *take();
    co_await out.write(batch);
  }

  EventFrames::Frame take() {
    EventFrames::Frame frame = std::move(queue_.front());
    queue_.pop_front();
    waiting_ -= frame->size();
    return frame;
  }

  void begin() {
    const auto number = options_.last_event_id ? number_of(*options_.last_event_id, bus_.epoch()) : std::nullopt;
    const auto missed = number ? bus_.since(*number) : std::nullopt;
    if (!missed) {
      put(format_event(id_text(bus_, bus_.last_id()), options_.last_event_id ? "reset" : "ready", "{}"));
      return;
    }
    // Also tells that the connection stands, should nothing have been missed.
    put(std::string(heartbeat_text));
    for (const Event& event : *missed) enqueue(event);
    is_overflowed_ = false;  // the bound is on what piles up while the client reads
  }

  bool is_wanted(const Event& event) const {
    if (!options_.experiment_id.empty() && event.experiment_id != options_.experiment_id) return false;
    return options_.kinds.empty() || options_.kinds.count(event.kind) > 0;
  }

  void enqueue(const Event& event) {
    if (is_overflowed_ || !is_wanted(event)) return;
    put(frames_.of(bus_, event));
    is_overflowed_ = waiting_ > options_.queue_bytes;
    waker_->wake();
  }

  void put(std::string text) { put(std::make_shared<const std::string>(std::move(text))); }
  void put(EventFrames::Frame frame) {
    waiting_ += frame->size();
    queue_.push_back(std::move(frame));
  }

  EventBus& bus_;
  EventFrames& frames_;
  const EventStreamOptions& options_;
  std::shared_ptr<Waker> waker_;
  std::deque<EventFrames::Frame> queue_;
  std::size_t waiting_ = 0;  ///< bytes in the queue
  bool is_overflowed_ = false;
};

}  // namespace

std::string format_event(std::string_view id, std::string_view kind, std::string_view data) {
  std::string text = fmt::format("id: {}\nevent: {}\n", id, kind);
  for (;;) {
    const auto newline = data.find('\n');
    text += fmt::format("data: {}\n", data.substr(0, newline));
    if (newline == data.npos) break;
    data.remove_prefix(newline + 1);
  }
  text += '\n';
  return text;
}

EventFrames::Frame EventFrames::of(const EventBus& bus, const Event& event) {
  if (id_ != event.id) {
    frame_ = std::make_shared<const std::string>(format_event(id_text(bus, event.id), event.kind, event.data));
    id_ = event.id;
  }
  return frame_;
}

HttpResponse event_stream(EventBus& bus, std::shared_ptr<EventFrames> frames, EventStreamOptions options) {
  auto producer = [&bus, frames = std::move(frames),
                   options = std::move(options)](BodyStream& out) -> asio::awaitable<void> {
    const auto loop = co_await asio::this_coro::executor;
    EventSender sender(bus, *frames, options, loop);
    co_await sender.run(out);
  };
  HttpResponse response = stream_response("text/event-stream", std::move(producer));
  response.is_live = true;
  return response;
}

}  // namespace lathe::manager
