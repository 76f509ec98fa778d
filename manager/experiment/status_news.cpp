#include "experiment/status_news.hpp"

#include <utility>

namespace lathe::manager {
namespace {

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

nlohmann::ordered_json to_json(const DaemonState& state, const std::string& version) {
  return {{"version", version}, {"draining", state.draining}, {"runningTrials", state.running_trials}};
}

StatusNews::StatusNews(boost::asio::any_io_executor executor, EventBus& events, Sources sources,
                       std::chrono::milliseconds pause)
    : events_(events), sources_(std::move(sources)), timer_(std::move(executor)), pause_(pause) {}

void StatusNews::host_changed(const std::string& host) {
  if (!events_.wanted()) return;
  hosts_.insert(host);
  begin();
}

void StatusNews::daemon_changed() {
  if (!events_.wanted()) return;
  daemon_ = true;
  begin();
}

/// What changes together, or soon after, is told together.
void StatusNews::begin() {
  if (is_pausing_) return;
  is_pausing_ = true;
  timer_.expires_after(pause_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    is_pausing_ = false;
    publish();
  });
}

void StatusNews::publish() {
  for (const std::string& host : std::exchange(hosts_, {})) {
    if (const auto status = sources_.host(host)) publish_if_new(host, "host", dump(to_json(*status)));
  }
  if (std::exchange(daemon_, false)) publish_if_new("", "daemon", dump(to_json(sources_.daemon(), LATHE_VERSION)));
}

void StatusNews::publish_if_new(const std::string& key, const std::string& kind, std::string data) {
  std::string& told = told_[key];
  if (told == data) return;
  told = data;
  events_.publish("", kind, std::move(data));
}

}  // namespace lathe::manager
