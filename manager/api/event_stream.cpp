#include "api/event_stream.hpp"

#include <charconv>
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

class EventSender {
 public:
  EventSender(EventBus& bus, const EventStreamOptions& options, asio::any_io_executor loop)
      : bus_(bus), options_(options), waker_(std::make_shared<Waker>(loop)) {}

  asio::awaitable<void> run(BodyStream& out) {
    const auto subscription = bus_.subscribe([this](const Event& event) { enqueue(event); });
    begin();
    for (;;) {
      if (is_overflowed_) throw std::runtime_error("the client reads too slowly");
      const std::string batch = std::exchange(queue_, {});
      if (!batch.empty()) {
        co_await out.write(batch);
      } else if (!co_await waker_->sleep(options_.heartbeat)) {
        co_await out.write(heartbeat_text);
      }
    }
  }

 private:
  std::string id_text(std::uint64_t number) const { return fmt::format("{}-{}", bus_.epoch(), number); }

  void begin() {
    const auto number = options_.last_event_id ? number_of(*options_.last_event_id, bus_.epoch()) : std::nullopt;
    const auto missed = number ? bus_.since(*number) : std::nullopt;
    if (!missed) {
      queue_ = format_event(id_text(bus_.last_id()), options_.last_event_id ? "reset" : "ready", "{}");
      return;
    }
    // Also tells that the connection stands, should nothing have been missed.
    queue_ = heartbeat_text;
    for (const Event& event : *missed) enqueue(event);
    is_overflowed_ = false;  // the bound is on what piles up while the client reads
  }

  bool is_wanted(const Event& event) const {
    if (!options_.experiment_id.empty() && event.experiment_id != options_.experiment_id) return false;
    return options_.kinds.empty() || options_.kinds.count(event.kind) > 0;
  }

  void enqueue(const Event& event) {
    if (is_overflowed_ || !is_wanted(event)) return;
    queue_ += format_event(id_text(event.id), event.kind, event.data);
    is_overflowed_ = queue_.size() > options_.queue_bytes;
    waker_->wake();
  }

  EventBus& bus_;
  const EventStreamOptions& options_;
  std::shared_ptr<Waker> waker_;
  std::string queue_;
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

HttpResponse event_stream(EventBus& bus, EventStreamOptions options) {
  auto producer = [&bus, options = std::move(options)](BodyStream& out) -> asio::awaitable<void> {
    const auto loop = co_await asio::this_coro::executor;
    EventSender sender(bus, options, loop);
    co_await sender.run(out);
  };
  HttpResponse response = stream_response("text/event-stream", std::move(producer));
  response.is_live = true;
  return response;
}

}  // namespace lathe::manager
