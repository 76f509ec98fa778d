#include "process_job.hpp"

#include <signal.h>

#include <system_error>
#include <utility>
#include <variant>

#include "exit_record.hpp"
#include "keeper.hpp"
#include "launch_plan.hpp"
#include "session_end.hpp"

namespace lathe::agent {
namespace {

/// A member in a hanging system call must not hold up the report for ever.
constexpr std::chrono::seconds session_patience{5};
constexpr std::chrono::milliseconds session_interval{10};

JobEnd lost(std::string why) {
  JobEnd end;
  end.error = std::move(why);
  end.lost = true;
  return end;
}

JobEnd end_of(const ExitCode& exited) {
  JobEnd end;
  end.exit_code = exited.code;
  return end;
}

JobEnd end_of(const EndingSignal& signalled) {
  JobEnd end;
  end.signal = signalled.number;
  return end;
}

JobEnd end_of(const proto::LaunchReport& report) {
  if (report.step == proto::LaunchStep::Gate && report.code == 0) {
    return lost("the agent was killed before it let the trial go");
  }
  JobEnd end;
  end.error = describe(report);
  return end;
}

template <class Value>
void take(const nlohmann::ordered_json& json, const char* name, Value& value) {
  const auto field = json.is_object() ? json.find(name) : json.end();
  if (field == json.end()) return;
  if constexpr (std::is_same_v<Value, std::string>) {
    if (field->is_string()) value = field->template get<std::string>();
  } else if (field->is_number_integer()) {
    value = field->template get<Value>();
  }
}

}  // namespace

nlohmann::ordered_json ProcessRecord::to_json() const {
  return {{"keeper", keeper.pid},
          {"start_ticks", keeper.start_ticks},
          {"boot_id", keeper.boot_id},
          {"command", command},
          {"exit_record", exit_record}};
}

ProcessRecord ProcessRecord::from_json(const nlohmann::ordered_json& json) {
  ProcessRecord record;
  take(json, "keeper", record.keeper.pid);
  take(json, "start_ticks", record.keeper.start_ticks);
  take(json, "boot_id", record.keeper.boot_id);
  take(json, "command", record.command);
  take(json, "exit_record", record.exit_record);
  return record;
}

ProcessJob::ProcessJob(boost::asio::io_context& io, ProcessRecord record, const std::filesystem::path& folder,
                       Descriptor gate, Changed changed)
    : record_(std::move(record)),
      exit_record_(folder / record_.exit_record),
      gate_(std::move(gate)),
      changed_(std::move(changed)),
      session_timer_(io),
      keeper_(io, record_.keeper, [this] { keeper_ended(); }) {}

void ProcessJob::release() {
  open_gate(gate_.get());
  gate_.reset();
}

/// A keeper that somebody has stopped would sleep through it.
void ProcessJob::terminate() {
  keeper_.signal(terminate_signal);
  keeper_.signal(SIGCONT);
}

void ProcessJob::kill() {
  keeper_.signal(kill_signal);
  keeper_.signal(SIGCONT);
}

void ProcessJob::keeper_ended() {
  if (const auto exited = read_exit_record(exit_record_)) {
    return end_with(std::visit([](const auto& end) { return end_of(end); }, *exited));
  }
  session_deadline_ = std::chrono::steady_clock::now() + session_patience;
  end_session();
}

/// The members come to whoever adopts orphans, not always to us: there is nothing to wait on but /proc.
void ProcessJob::end_session() {
  if (!kill_session(record_.keeper) || std::chrono::steady_clock::now() >= session_deadline_) {
    const bool rebooted = record_.keeper.boot_id != read_boot_id();
    return end_with(lost(rebooted ? "the host was rebooted; how the trial ended is unknown"
                                  : "the trial's keeper was killed; how the trial ended is unknown"));
  }
  session_timer_.expires_after(session_interval);
  session_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) end_session();
  });
}

void ProcessJob::end_with(JobEnd end) {
  end_ = std::move(end);
  changed_();
}

void ProcessJob::forget() {
  std::error_code nothing_to_remove;
  std::filesystem::remove(exit_record_, nothing_to_remove);
}

}  // namespace lathe::agent
