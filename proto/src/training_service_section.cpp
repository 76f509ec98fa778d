#include "training_service_section.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "known_keys.hpp"
#include "pai_section.hpp"
#include "reader.hpp"
#include "service_fields.hpp"

namespace lathe::proto {
namespace {

constexpr IntegerRange positive{.low = 1, .high = 1'000'000};
constexpr IntegerRange gpu_index{.low = 0, .high = 1023};

constexpr auto later_platforms =
    std::to_array<std::string_view>({"aml", "dlc", "kubeflow", "frameworkcontroller", "adl", "dlts", "hybrid"});

/// The platform of an object, whatever else is in it.
std::optional<Value> find_platform(const Value& service) {
  for (const Member& member : service.members()) {
    if (normalized_key(member.name) == "platform" && !member.value.json().is_null()) return member.value;
  }
  return std::nullopt;
}

// ---- GPUs ----

std::optional<std::vector<std::int64_t>> indices_of_text(const std::string& text) {
  std::vector<std::int64_t> indices;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::size_t first = text.find_first_not_of(' ', begin);
    std::int64_t index = -1;
    if (first >= end) return std::nullopt;
    const auto [stop, error] = std::from_chars(text.data() + first, text.data() + end, index);
    const bool is_whole = std::all_of(stop, text.data() + end, [](char c) { return c == ' '; });
    if (error != std::errc{} || !is_whole || index < gpu_index.low || index > gpu_index.high) return std::nullopt;
    indices.push_back(index);
    begin = end + 1;
  }
  return indices;
}

/// NNI's three ways: a list, a number, "0,1".
std::optional<std::vector<std::int64_t>> read_indices(const Value& value, Problems& problems) {
  std::vector<std::int64_t> indices;
  if (value.json().is_string()) {
    const auto parsed = indices_of_text(value.json().get<std::string>());
    if (!parsed) {
      problems.add_mismatch(value, "GPU numbers with commas between them, as in \"0,1\"");
      return std::nullopt;
    }
    indices = *parsed;
  } else if (value.json().is_array()) {
    for (const Value& item : value.items()) {
      if (const auto index = read_integer(item, gpu_index, problems)) indices.push_back(*index);
    }
  } else if (const auto index = read_integer(value, gpu_index, problems)) {
    indices.push_back(*index);
  }
  if (std::set(indices.begin(), indices.end()).size() != indices.size()) {
    problems.add(value, fmt::format("names a GPU twice; expected different ones, found {}", value.json().dump()));
  } else if (indices.empty()) {
    problems.add_mismatch(value, "at least one GPU number");
  }
  return indices;
}

GpuPolicy read_gpus(Fields& fields, Problems& problems) {
  GpuPolicy policy;
  fields.boolean("useActiveGpu", policy.use_active_gpu);
  fields.integer("maxTrialNumberPerGpu", policy.max_trials_per_gpu, positive);
  fields.integer("maxTrialNumPerGpu", policy.max_trials_per_gpu, positive);
  if (const auto value = fields.find("gpuIndices")) policy.gpu_indices = read_indices(*value, problems);
  return policy;
}

void put_gpus(nlohmann::ordered_json& json, const GpuPolicy& policy) {
  json["useActiveGpu"] = policy.use_active_gpu;
  json["maxTrialNumberPerGpu"] = policy.max_trials_per_gpu;
  if (policy.gpu_indices) json["gpuIndices"] = *policy.gpu_indices;
}

// ---- machines ----

/// What ssh takes as one word that is no option: letters, digits and what host names and addresses are made of.
bool is_address_word(const std::string& text) {
  return !text.starts_with('-') && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("._-:[]%").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

void read_word(const std::optional<Value>& value, const std::string& what, std::string& target, Problems& problems) {
  const auto text = value ? read_text(*value, problems) : std::nullopt;
  if (!text) return;
  if (is_address_word(*text))
    target = *text;
  else
    problems.add_mismatch(*value, what);
}

SshAddress read_address(Fields& fields, const PathResolver& paths, Problems& problems) {
  SshAddress address;
  const auto host = find_either(fields, "host", "ip");
  if (!host && fields.is_object()) (void)fields.require("host", "the name or address of the machine");
  read_word(host, "a host name or address: letters, digits and . _ - : [ ] %", address.host, problems);
  read_word(find_either(fields, "user", "username"), "a user name: letters, digits and . _ -", address.user, problems);
  fields.integer("port", address.port, {1, 65'535});
  const auto key = find_either(fields, "sshKeyFile", "sshKeyPath");
  if (key) address.key_file = paths.resolve(*key, PathKind::File, problems).value_or(std::filesystem::path());
  address.password = read_secret(find_either(fields, "password", "passwd"), problems);
  address.passphrase = read_secret(find_either(fields, "sshPassphrase", "passphrase"), problems);
  return address;
}

void put_address(nlohmann::ordered_json& json, const SshAddress& address) {
  json["host"] = address.host;
  if (address.port) json["port"] = *address.port;
  if (!address.user.empty()) json["user"] = address.user;
  if (!address.key_file.empty()) json["sshKeyFile"] = address.key_file.string();
}

void read_labels(const Fields& fields, std::map<std::string, std::string>& labels, Problems& problems) {
  const auto value = fields.find("labels");
  if (!value) return;
  if (!value->json().is_object()) return problems.add_mismatch(*value, "an object of texts");
  for (const Member& member : value->members()) {
    if (const auto text = read_text(member.value, problems)) labels[member.name] = *text;
  }
}

RemoteMachine read_machine(const Value& value, const PathResolver& paths, Problems& problems) {
  RemoteMachine machine;
  Fields fields(value, keys::machine, problems);
  machine.address = read_address(fields, paths, problems);
  machine.gpus = read_gpus(fields, problems);
  fields.text("pythonPath", machine.python_path);
  fields.integer("slots", machine.slots, positive);
  read_labels(fields, machine.labels, problems);
  return machine;
}

nlohmann::ordered_json machine_json(const RemoteMachine& machine) {
  nlohmann::ordered_json json;
  put_address(json, machine.address);
  put_gpus(json, machine.gpus);
  if (!machine.python_path.empty()) json["pythonPath"] = machine.python_path;
  if (machine.slots) json["slots"] = *machine.slots;
  if (!machine.labels.empty()) json["labels"] = machine.labels;
  return json;
}

// ---- services ----

LocalService read_local(const Value& value, Problems& problems) {
  LocalService service;
  Fields fields(value, keys::local_service, problems);
  refuse_copies(fields, problems);
  warn_of_ignored(fields, problems);
  service.gpus = read_gpus(fields, problems);
  fields.integer("slots", service.slots, positive);
  return service;
}

RemoteService read_remote(const Value& value, const PathResolver& paths, Problems& problems) {
  RemoteService service;
  Fields fields(value, keys::remote_service, problems);
  refuse_copies(fields, problems);
  warn_of_ignored(fields, problems);
  const auto list = fields.require("machineList", "a list of machines, each with its host");
  if (!list) return service;
  if (!list->json().is_array() || list->json().empty()) {
    problems.add_mismatch(*list, "a list of machines, each with its host");
    return service;
  }
  std::set<std::string> names;
  for (const Value& item : list->items()) {
    service.machines.push_back(read_machine(item, paths, problems));
    const std::string name = service.machines.back().address.name();
    if (!names.insert(name).second)
      problems.add(item, fmt::format("{} is in the list already; expected each machine once", name));
  }
  return service;
}

void read_directives(const Fields& fields, std::vector<std::string>& directives, Problems& problems) {
  const auto value = fields.find("directives");
  if (!value) return;
  if (!value->json().is_array()) return problems.add_mismatch(*value, "a list of options of sbatch");
  for (const Value& item : value->items()) {
    const auto text = read_text(item, problems);
    if (!text) continue;
    if (text->starts_with("--") && text->find('\n') == std::string::npos)
      directives.push_back(*text);
    else
      problems.add_mismatch(item, "an option of sbatch on one line, as in \"--exclusive\"");
  }
}

SlurmService read_slurm(const Value& value, const PathResolver& paths, Problems& problems) {
  SlurmService service;
  Fields fields(value, keys::slurm_service, problems);
  refuse_copies(fields, problems);
  warn_of_ignored(fields, problems);
  if (const auto host = fields.find("submitHost")) {
    Fields address(*host, keys::ssh_address, problems);
    service.submit_host = read_address(address, paths, problems);
  }
  read_line(fields, "partition", service.partition, problems);
  read_line(fields, "account", service.account, problems);
  read_line(fields, "qos", service.qos, problems);
  read_line(fields, "timeLimit", service.time_limit, problems);
  read_line(fields, "gresType", service.gres_type, problems);
  read_line(fields, "memory", service.memory, problems);
  fields.integer("cpusPerTask", service.cpus_per_task, positive);
  fields.text("prologue", service.prologue);
  fields.integer("slots", service.slots, positive);
  read_directives(fields, service.directives, problems);
  return service;
}

nlohmann::ordered_json service_json(const LocalService& service) {
  nlohmann::ordered_json json{{"platform", "local"}};
  put_gpus(json, service.gpus);
  if (service.slots) json["slots"] = *service.slots;
  return json;
}

nlohmann::ordered_json service_json(const RemoteService& service) {
  nlohmann::ordered_json json{{"platform", "remote"}, {"machineList", nlohmann::ordered_json::array()}};
  for (const RemoteMachine& machine : service.machines) json["machineList"].push_back(machine_json(machine));
  return json;
}

nlohmann::ordered_json service_json(const SlurmService& service) {
  nlohmann::ordered_json json{{"platform", "slurm"}};
  if (service.submit_host) put_address(json["submitHost"], *service.submit_host);
  const auto put = [&json](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
  };
  put("partition", service.partition);
  put("account", service.account);
  put("qos", service.qos);
  put("timeLimit", service.time_limit);
  put("gresType", service.gres_type);
  put("memory", service.memory);
  if (service.cpus_per_task) json["cpusPerTask"] = *service.cpus_per_task;
  if (!service.directives.empty()) json["directives"] = service.directives;
  put("prologue", service.prologue);
  if (service.slots) json["slots"] = *service.slots;
  return json;
}

void refuse_platform(const Value& platform, Problems& problems) {
  const std::string name = platform.json().is_string() ? normalized_key(platform.json().get<std::string>()) : "";
  const bool is_later = std::find(later_platforms.begin(), later_platforms.end(), name) != later_platforms.end();
  problems.add(platform, fmt::format("{} platform {}; expected local, remote, slurm or pai",
                                     is_later ? "not supported:" : "unknown", describe(platform.json())));
}

void read_service(const Value& value, const PathResolver& paths, std::vector<TrainingService>& services,
                  Problems& problems) {
  const auto platform = find_platform(value);
  const std::string name = platform && platform->json().is_string()
                               ? normalized_key(platform->json().get_ref<const std::string&>())
                               : std::string();
  if (name == "local") {
    services.emplace_back(read_local(value, problems));
  } else if (name == "remote") {
    services.emplace_back(read_remote(value, paths, problems));
  } else if (name == "slurm") {
    services.emplace_back(read_slurm(value, paths, problems));
  } else if (name == "pai" || name == "openpai") {
    services.emplace_back(read_pai(value, paths, problems));
  } else if (platform) {
    refuse_platform(*platform, problems);
  } else {
    Fields fields(value, keys::local_service, problems);
    if (fields.is_object()) (void)fields.require("platform", "local, remote, slurm or pai");
  }
}

/// Two entries for one place: the scheduler could not tell them apart.
void check_places(const Value& value, const std::vector<TrainingService>& services, Problems& problems) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!names.insert(name).second)
      problems.add(value, fmt::format("{} is there twice; expected each machine or cluster once", name));
  };
  for (const TrainingService& service : services) {
    if (const auto* remote = std::get_if<RemoteService>(&service)) {
      for (const RemoteMachine& machine : remote->machines) add(machine.address.name());
    } else if (const auto* slurm = std::get_if<SlurmService>(&service)) {
      add(slurm->name());
    } else if (const auto* pai = std::get_if<PaiService>(&service)) {
      add(pai->name());
    } else {
      add("local");
    }
  }
}

}  // namespace

std::vector<TrainingService> read_training_services(const Value& value, const PathResolver& paths, Problems& problems) {
  std::vector<TrainingService> services;
  if (!value.json().is_array()) {
    read_service(value, paths, services, problems);
    return services;
  }
  if (value.json().empty()) problems.add_mismatch(value, "a training service, or a list of some");
  for (const Value& item : value.items()) read_service(item, paths, services, problems);
  if (services.size() > 1) check_places(value, services, problems);
  return services;
}

std::string SshAddress::name() const {
  return fmt::format("{}{}{}", user.empty() ? "" : user + "@", host, port ? fmt::format(":{}", *port) : "");
}

std::string SlurmService::name() const {
  return submit_host ? "slurm:" + submit_host->name() : std::string("slurm");
}

std::string platform_of(const TrainingService& service) {
  if (std::holds_alternative<RemoteService>(service)) return "remote";
  if (std::holds_alternative<PaiService>(service)) return "pai";
  return std::holds_alternative<SlurmService>(service) ? "slurm" : "local";
}

nlohmann::ordered_json to_json(const std::vector<TrainingService>& services) {
  const auto write = [](const TrainingService& service) {
    return std::visit([](const auto& kind) { return service_json(kind); }, service);
  };
  if (services.size() == 1) return write(services.front());
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const TrainingService& service : services) json.push_back(write(service));
  return json;
}

}  // namespace lathe::proto
