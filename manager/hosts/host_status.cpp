#include "hosts/host_status.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace lathe::manager {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kKinds{"local", "remote", "slurm", "pai"};
constexpr std::array<std::string_view, 4> kVerdicts{"OK", "WARNING", "FAILED", "SKIPPED"};

Json gpu_json(const proto::Gpu& gpu) {
  Json json{{"index", gpu.index},
            {"name", gpu.name},
            {"memory", gpu.memory_bytes},
            {"memoryUsed", gpu.memory_used_bytes},
            {"utilization", gpu.utilization},
            {"processes", Json::array()}};
  for (const proto::GpuProcess& process : gpu.processes) {
    Json entry{{"pid", process.pid}};
    if (!process.name.empty()) entry["name"] = process.name;
    if (!process.user.empty()) entry["user"] = process.user;
    if (!process.trial_id.empty()) entry["attempt"] = process.trial_id;
    json["processes"].push_back(std::move(entry));
  }
  return json;
}

void add_report(Json& json, const proto::HostReport& report) {
  json["cores"] = report.cores;
  json["load"] = report.load;
  json["memory"] = report.memory_bytes;
  json["memoryFree"] = report.memory_free_bytes;
  json["diskFree"] = report.disk_free_bytes;
  json["reportTime"] = report.time_ms;
  if (!report.gpu_error.empty()) json["gpuError"] = report.gpu_error;
  json["gpus"] = Json::array();
  for (const proto::Gpu& gpu : report.gpus) json["gpus"].push_back(gpu_json(gpu));
}

}  // namespace

bool HostTest::ok() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const HostCheck& check) { return check.verdict == HostCheck::Verdict::Failed; });
}

Json to_json(const HostStatus& status) {
  Json json{{"id", status.spec.id},
            {"kind", kKinds[static_cast<std::size_t>(status.spec.kind)]},
            {"connected", status.connected},
            {"drained", status.drained}};
  if (!status.trouble.empty()) json["reason"] = status.trouble;
  if (status.spec.slots) json["slots"] = *status.spec.slots;
  if (!status.spec.labels.empty()) json["labels"] = status.spec.labels;
  json["trials"] = Json::object();
  for (const auto& [experiment, count] : status.trials) json["trials"][experiment] = count;
  if (status.hello) {
    json["agent"] = Json{{"version", status.hello->version},
                         {"hostname", status.hello->host},
                         {"pid", status.hello->pid},
                         {"root", status.hello->root}};
    if (!status.hello->trial_program.empty()) json["agent"]["trialProgram"] = status.hello->trial_program;
  }
  if (status.report) add_report(json, *status.report);
  return json;
}

Json to_json(const HostTest& test) {
  Json json{{"host", test.host}, {"ok", test.ok()}, {"checks", Json::array()}};
  for (const HostCheck& check : test.checks) {
    json["checks"].push_back({{"step", check.step},
                              {"verdict", kVerdicts[static_cast<std::size_t>(check.verdict)]},
                              {"detail", check.detail}});
  }
  return json;
}

}  // namespace lathe::manager
