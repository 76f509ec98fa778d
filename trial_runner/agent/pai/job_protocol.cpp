#include "pai/job_protocol.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "program_run.hpp"
#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

using nlohmann::ordered_json;

constexpr const char* own_role = "trial";
constexpr const char* own_image = "lathe_image";
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_trial = 120;

bool is_name_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

tl::unexpected<proto::Error> refuse(const std::string& what) {
  return proto::fail("the PAI job protocol (openpaiConfig): " + what);
}

/// The member of an object; null where there is none.
const ordered_json& member(const ordered_json& object, const char* key) {
  static const ordered_json none;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? none : *found;
}

void put_if_missing(ordered_json& object, const char* key, ordered_json value) {
  if (member(object, key).is_null()) object[key] = std::move(value);
}

bool has_commands(const ordered_json& role) {
  const ordered_json& commands = member(role, "commands");
  return commands.is_array() && !commands.empty();
}

proto::Result<std::string> find_role(const ordered_json& protocol) {
  const ordered_json& roles = member(protocol, "taskRoles");
  if (!roles.is_object() || roles.empty()) return refuse("taskRoles: expected an object with at least one task role");
  std::vector<std::string> idle;
  for (const auto& [name, role] : roles.items()) {
    if (!role.is_object()) return refuse(fmt::format("taskRoles.{}: expected an object", to_valid_utf8(name)));
    if (!has_commands(role)) idle.push_back(name);
  }
  if (roles.size() == 1) return roles.items().begin().key();
  if (idle.size() == 1) return idle.front();
  return refuse(
      fmt::format("taskRoles: expected exactly one of the {} without commands, in which the trial runs; found {}",
                  roles.size(), idle.size()));
}

/// Commands of the role's own come first; PAI runs them all in one shell.
proto::Result<void> check_commands(const ordered_json& role, const std::string& name) {
  const ordered_json& commands = member(role, "commands");
  const auto is_text = [](const ordered_json& line) { return line.is_string(); };
  const bool is_list = commands.is_array() && std::all_of(commands.begin(), commands.end(), is_text);
  if (commands.is_null() || is_list) return {};
  return refuse(fmt::format("taskRoles.{}.commands: expected a list of texts", to_valid_utf8(name)));
}

/// `role` is part of the protocol, and moves when the protocol gets a key.
proto::Result<void> fill_image(ordered_json& protocol, ordered_json& role, const PaiSettings& settings) {
  if (!member(role, "dockerImage").is_null()) return {};
  if (settings.image.empty()) return refuse("no dockerImage, and the config names none either");
  role["dockerImage"] = own_image;
  put_if_missing(protocol, "prerequisites", ordered_json::array());
  if (!protocol["prerequisites"].is_array()) return refuse("prerequisites: expected a list");
  protocol["prerequisites"].push_back({{"type", "dockerimage"}, {"name", own_image}, {"uri", settings.image}});
  return {};
}

proto::Result<void> fill_resources(ordered_json& role, const PaiSettings& settings) {
  put_if_missing(role, "resourcePerInstance", ordered_json::object());
  ordered_json& resources = role["resourcePerInstance"];
  if (!resources.is_object()) return refuse("resourcePerInstance: expected an object");
  if (member(resources, "memoryMB").is_null() && settings.memory_mb == 0) {
    return refuse("no memoryMB, and the config has no trialMemorySize either");
  }
  put_if_missing(resources, "gpu", settings.gpus);
  put_if_missing(resources, "cpu", settings.cpus);
  put_if_missing(resources, "memoryMB", settings.memory_mb);
  return {};
}

proto::Result<void> fill_storage(ordered_json& protocol, const PaiSettings& settings) {
  if (settings.storage.empty()) return {};
  put_if_missing(protocol, "extras", ordered_json::object());
  if (!protocol["extras"].is_object()) return refuse("extras: expected an object");
  put_if_missing(protocol["extras"], "storages", ordered_json::array());
  ordered_json& storages = protocol["extras"]["storages"];
  if (!storages.is_array()) return refuse("extras.storages: expected a list");
  const bool is_there = std::any_of(storages.begin(), storages.end(), [&](const ordered_json& storage) {
    return member(storage, "name") == settings.storage;
  });
  if (!is_there) storages.push_back({{"name", settings.storage}, {"mountPath", settings.mount.container}});
  return {};
}

/// The job is over when the trial is, whatever the other task roles do; PAI is not to run it again by itself.
proto::Result<void> fill_role(ordered_json& role, const std::string& name) {
  const ordered_json& instances = member(role, "instances");
  if (!instances.is_null() && instances != 1) {
    return refuse(fmt::format("taskRoles.{}.instances: expected 1, since the trial runs there", name));
  }
  role["instances"] = 1;
  role["taskRetryCount"] = 0;
  role["completion"] = {{"minFailedInstances", 1}, {"minSucceededInstances", 1}};
  return {};
}

}  // namespace

proto::Result<JobProtocol> JobProtocol::make(const PaiSettings& settings) {
  const auto failed = [](const auto& result) { return tl::unexpected<proto::Error>(result.error()); };
  JobProtocol protocol;
  protocol.json = settings.protocol;
  if (protocol.json.is_null()) protocol.json["taskRoles"][own_role] = ordered_json::object();
  const auto role_name = find_role(protocol.json);
  if (!role_name) return failed(role_name);
  protocol.task_role = *role_name;
  // Looked up anew each time: a key that is added to an object moves those that are there.
  const auto role = [&]() -> ordered_json& { return protocol.json["taskRoles"][*role_name]; };
  if (const auto checked = check_commands(role(), *role_name); !checked) return failed(checked);
  if (const auto filled = fill_role(role(), *role_name); !filled) return failed(filled);
  if (const auto filled = fill_resources(role(), settings); !filled) return failed(filled);
  if (const auto filled = fill_image(protocol.json, role(), settings); !filled) return failed(filled);
  if (const auto filled = fill_storage(protocol.json, settings); !filled) return failed(filled);
  if (!settings.virtual_cluster.empty()) {
    put_if_missing(protocol.json, "defaults", ordered_json::object());
    if (!protocol.json["defaults"].is_object()) return refuse("defaults: expected an object");
    protocol.json["defaults"]["virtualCluster"] = settings.virtual_cluster;
  }
  protocol.json["protocolVersion"] = 2;
  protocol.json["type"] = "job";
  protocol.json["jobRetryCount"] = 0;
  return protocol;
}

std::string JobProtocol::text(const std::string& job_name, const std::string& script) const {
  ordered_json job = json;
  job["name"] = job_name;
  ordered_json& commands = job["taskRoles"][task_role]["commands"];
  if (commands.is_null()) commands = ordered_json::array();
  commands.push_back("bash " + shell_quoted(script) + " " + job_name);
  return job.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string pai_job_prefix(const std::string& owner) {
  return "lathe-" + owner + "-";
}

std::string pai_job_name(const std::string& owner, const std::string& trial_id, const std::string& token) {
  std::string trial = trial_id.substr(0, longest_trial);
  std::replace_if(
      trial.begin(), trial.end(), [](unsigned char c) { return !is_name_character(c); }, '-');
  return pai_job_prefix(owner) + trial + "-" + token;
}

bool is_pai_job_name(const std::string& name) {
  return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), is_name_character);
}

}  // namespace lathe::agent
