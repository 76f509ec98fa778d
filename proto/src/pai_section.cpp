#include "pai_section.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "document.hpp"
#include "known_keys.hpp"
#include "reader.hpp"
#include "service_fields.hpp"

namespace lathe::proto {
namespace {

constexpr IntegerRange count{.low = 1, .high = 1'000'000};
constexpr IntegerRange megabytes{.low = 1, .high = 1'000'000'000};
constexpr std::string_view default_image = "msranni/nni:latest";
constexpr std::string_view name_of_host = "PAI's address, as in pai.example or https://pai.example:8443";

bool is_word(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](unsigned char c) {
    return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// ---- who and where ----

/// The part behind the scheme: a host name or address, a port, and folders where PAI stands behind a gateway.
bool is_authority(std::string_view text) {
  constexpr int largest_port = 65'535;
  const std::string_view place = text.substr(0, text.find('/'));
  const bool is_bracketed = place.starts_with('[');
  const auto colon = place.find(':', is_bracketed ? place.find(']') : 0);
  std::string_view host = place.substr(0, colon);
  if (is_bracketed && host.size() > 2) host = host.substr(1, host.size() - 2);
  if (!is_word(host, is_bracketed ? ":." : "-._") || host.starts_with('-')) return false;
  if (text.size() > place.size() && !is_word(text.substr(place.size()), "/-._~")) return false;
  if (colon == std::string_view::npos) return true;
  int port = 0;
  const std::string_view digits = place.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port > 0 && port <= largest_port;
}

void read_host(const std::optional<Value>& value, PaiService& service, Problems& problems) {
  const auto text = value ? read_text(*value, problems) : std::nullopt;
  if (!text) return;
  std::string url = text->find("://") == std::string::npos ? "https://" + *text : *text;
  while (url.ends_with('/')) url.pop_back();
  const bool is_plain = url.starts_with("http://");
  const bool is_known = is_plain || url.starts_with("https://");
  if (!is_known || !is_authority(std::string_view(url).substr(url.find("//") + 2))) {
    return problems.add_mismatch(*value, std::string(name_of_host));
  }
  if (is_plain) problems.warn(*value, "http:// sends the token unencrypted; https:// would not");
  service.url = url;
}

void read_user(const std::optional<Value>& value, PaiService& service, Problems& problems) {
  const auto text = value ? read_text(*value, problems) : std::nullopt;
  if (!text) return;
  if (is_word(*text, "_.-"))
    service.user = *text;
  else
    problems.add_mismatch(*value, "a user name: letters, digits and . _ -");
}

/// NNI before 2.0 could log in with a password; PAI gives tokens that last, which need not be the key to everything.
void refuse_password(const Fields& fields, Problems& problems) {
  if (const auto value = fields.find("passWord"))
    problems.add(*value, "not supported: a password; expected token, an application token from PAI's portal");
}

struct Account {
  std::optional<Value> host;
  std::optional<Value> user;
  std::optional<Value> token;
};

/// v2 has them in the service itself, v1 in paiConfig.
Account find_account(const Fields& fields, Problems& problems) {
  Account account{fields.find("host"), fields.find("username"), fields.find("token")};
  const auto section = fields.find("paiConfig");
  if (!section) return account;
  const Fields old(*section, keys::pai_config, problems);
  refuse_password(old, problems);
  if (!account.host) account.host = old.find("host");
  if (!account.user) account.user = old.find("userName");
  if (!account.token) account.token = old.find("token");
  return account;
}

void read_account(Fields& fields, bool is_canonical, PaiService& service, Problems& problems) {
  const Account account = find_account(fields, problems);
  if (!fields.is_object()) return;
  if (!account.host) (void)fields.require("host", name_of_host);
  if (!account.user) (void)fields.require("username", "the name of a user of PAI");
  if (!account.token && !is_canonical) (void)fields.require("token", "a token of that user, from PAI's portal");
  read_host(account.host, service, problems);
  read_user(account.user, service, problems);
  service.token = read_secret(account.token, problems);
}

// ---- what a trial gets ----

/// NNI's sizes: a number and a unit, rounded up to whole megabytes.
std::optional<std::int64_t> megabytes_in(std::string text) {
  struct Unit {
    std::string_view name;
    double megabytes;
  };
  constexpr double kilo = 1024;
  constexpr std::array<Unit, 5> units{
      {{"tb", kilo * kilo}, {"gb", kilo}, {"mb", 1}, {"kb", 1 / kilo}, {"b", 1 / kilo / kilo}}};
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  std::erase(text, ' ');
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    double number = 0;
    const char* const stop = text.data() + text.size() - unit.name.size();
    const auto [end, error] = std::from_chars(text.data(), stop, number);
    const double size = std::ceil(number * unit.megabytes);
    if (error != std::errc{} || end != stop || !(size >= 1 && size <= static_cast<double>(megabytes.high)))
      return std::nullopt;
    return static_cast<std::int64_t>(size);
  }
  return std::nullopt;
}

void read_memory(const Fields& fields, PaiService& service, Problems& problems) {
  if (const auto value = fields.find("memoryMB")) {
    if (const auto number = read_integer(*value, megabytes, problems)) service.memory_mb = *number;
  }
  const auto value = fields.find("trialMemorySize");
  if (!value) return;
  const auto size = value->json().is_string() ? megabytes_in(value->json().get<std::string>()) : std::nullopt;
  if (size)
    service.memory_mb = *size;
  else
    problems.add_mismatch(*value, "a size with its unit (tb, gb, mb, kb, b), as in \"8 gb\"");
}

void read_protocol_file(const Value& value, const PathResolver& paths, PaiService& service, Problems& problems) {
  const auto file = paths.resolve(value, PathKind::File, problems);
  if (!file) return;
  std::ifstream stream(*file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  auto document = parse_document(text);
  if (!document) {
    problems.add(value, fmt::format("{}: {}", file->string(), document.error().to_string()));
  } else if (!document->root.is_object()) {
    problems.add(value, fmt::format("{}: expected a job protocol, an object with taskRoles", file->string()));
  } else {
    service.job_protocol = std::move(document->root);
  }
}

/// Only what tells a protocol from something else; PAI itself checks the rest.
void check_protocol(const Value& value, const PaiService& service, Problems& problems) {
  const auto& protocol = service.job_protocol;
  const auto roles = protocol.find("taskRoles");
  if (roles == protocol.end() || !roles->is_object() || roles->empty())
    problems.add(value, "expected a job protocol with taskRoles, an object of at least one task role");
  const auto version = protocol.find("protocolVersion");
  if (version != protocol.end() && *version != 2 && *version != "2")
    problems.add(value, fmt::format("expected protocolVersion 2, found {}", version->dump()));
}

void read_protocol(const Fields& fields, const PathResolver& paths, PaiService& service, Problems& problems) {
  const auto inlined = fields.find("openpaiConfig");
  const auto file = fields.find("openpaiConfigFile");
  if (inlined && file) return problems.add(*file, "expected openpaiConfig or openpaiConfigFile, found both");
  if (file) read_protocol_file(*file, paths, service, problems);
  if (inlined && !inlined->json().is_object())
    problems.add_mismatch(*inlined, "a job protocol, an object with taskRoles");
  else if (inlined)
    service.job_protocol = inlined->json();
  if (!service.job_protocol.is_null()) check_protocol(inlined ? *inlined : *file, service, problems);
}

/// A protocol may say all of these itself.
void require_resources(Fields& fields, PaiService& service) {
  if (!service.job_protocol.is_null() || !fields.is_object()) return;
  if (!fields.find("trialMemorySize") && !fields.find("memoryMB"))
    (void)fields.require("trialMemorySize", "the memory of a trial's container, as in \"8 gb\"");
  (void)fields.require("storageConfigName", "the name of a storage in PAI that this machine has mounted too");
}

void read_mounts(Fields& fields, const PathResolver& paths, PaiService& service, Problems& problems) {
  if (const auto local =
          fields.require("localStorageMountPoint", "the folder where this machine has mounted the storage")) {
    service.local_mount_point = paths.resolve(*local, PathKind::Directory, problems).value_or(std::filesystem::path());
  }
  const auto inside =
      fields.require("containerStorageMountPoint", "the folder where the containers see the storage, as in /mnt/NAME");
  const auto text = inside ? read_text(*inside, problems) : std::nullopt;
  if (!text) return;
  if (text->starts_with('/') && text->find_first_of("\n\r") == std::string::npos)
    service.container_mount_point = *text;
  else
    problems.add_mismatch(*inside, "an absolute path");
}

}  // namespace

PaiService read_pai(const Value& value, const PathResolver& paths, Problems& problems) {
  PaiService service;
  Fields fields(value, keys::pai_service, problems);
  refuse_copies(fields, problems);
  // NNI sets it by default, to have one job run several trials; here each trial is a job of its own.
  warn_of_ignored(fields, problems);
  read_account(fields, paths.is_verbatim(), service, problems);
  fields.integer("trialCpuNumber", service.cpus, count);
  read_memory(fields, service, problems);
  service.docker_image = default_image;
  read_line(fields, "dockerImage", service.docker_image, problems);
  read_line(fields, "virtualCluster", service.virtual_cluster, problems);
  read_line(fields, "storageConfigName", service.storage_config_name, problems);
  fields.integer("slots", service.slots, count);
  if (const auto file = fields.find("caFile"))
    service.ca_file = paths.resolve(*file, PathKind::File, problems).value_or(std::filesystem::path());
  read_protocol(fields, paths, service, problems);
  require_resources(fields, service);
  read_mounts(fields, paths, service, problems);
  return service;
}

nlohmann::ordered_json service_json(const PaiService& service) {
  nlohmann::ordered_json json{{"platform", "pai"}, {"host", service.url}, {"username", service.user}};
  const auto put = [&json](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
  };
  json["trialCpuNumber"] = service.cpus;
  if (service.memory_mb > 0) json["trialMemorySize"] = fmt::format("{} mb", service.memory_mb);
  put("dockerImage", service.docker_image);
  put("virtualCluster", service.virtual_cluster);
  put("storageConfigName", service.storage_config_name);
  put("localStorageMountPoint", service.local_mount_point.string());
  put("containerStorageMountPoint", service.container_mount_point);
  if (!service.job_protocol.is_null()) json["openpaiConfig"] = service.job_protocol;
  put("caFile", service.ca_file.string());
  if (service.slots) json["slots"] = *service.slots;
  return json;
}

std::string PaiService::name() const {
  const auto begin = url.find("//");
  return fmt::format("pai:{}@{}", user, begin == std::string::npos ? url : url.substr(begin + 2));
}

}  // namespace lathe::proto
