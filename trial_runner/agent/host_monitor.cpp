#include "host_monitor.hpp"

#include <utility>

#include "host_facts.hpp"

namespace lathe::agent {
namespace {

constexpr std::chrono::seconds interval{5};
constexpr std::int64_t slow_interval_ms = 30'000;

/// The report as the daemon would read it, without what always changes.
std::string substance_of(proto::HostReport report) {
  report.time_ms = 0;
  report.load = 0;
  report.memory_free_bytes = 0;
  report.disk_free_bytes = 0;
  return proto::encode_json(proto::FromAgent(report));
}

}  // namespace

bool differ_in_substance(const proto::HostReport& one, const proto::HostReport& other) {
  return substance_of(one) != substance_of(other);
}

HostMonitor::HostMonitor(boost::asio::io_context& io, Children& children, std::filesystem::path root,
                         const std::filesystem::path& nvidia_smi, Sessions sessions, Report report)
    : timer_(io),
      root_(std::move(root)),
      sessions_(std::move(sessions)),
      report_(std::move(report)),
      query_(io, children, nvidia_smi) {}

void HostMonitor::start() {
  told_.reset();
  is_running_ = true;
  look();
}

void HostMonitor::stop() {
  is_running_ = false;
  timer_.cancel();
}

void HostMonitor::look() {
  if (!std::exchange(is_asking_, true)) query_.start([this](GpuState state) { take(std::move(state)); });
  timer_.expires_after(interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && is_running_) look();
  });
}

void HostMonitor::take(GpuState state) {
  is_asking_ = false;
  if (!is_running_) return;
  proto::HostReport report = read_host(root_);
  report.gpus = std::move(state.gpus);
  report.gpu_error = std::move(state.error);
  const auto sessions = sessions_();
  for (proto::Gpu& gpu : report.gpus) {
    for (proto::GpuProcess& process : gpu.processes) describe_process(process, sessions);
  }
  const bool is_due = !told_ || report.time_ms - told_->time_ms >= slow_interval_ms;
  if (!is_due && !differ_in_substance(report, *told_)) return;
  told_ = report;
  report_(report);
}

}  // namespace lathe::agent
