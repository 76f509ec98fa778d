#include "pai/pai_settings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace lathe::agent {
namespace {

using nlohmann::ordered_json;

/// Reads fields of the launcher; the first that is wrong is kept.
class Reader {
 public:
  explicit Reader(const ordered_json& json) : json_(json) {}

  std::string text(const char* key, bool is_required = false) {
    const auto field = find(key);
    const bool is_missing = field == json_.end() || field->is_null();
    if (!is_missing && field->is_string() && field->get_ref<const std::string&>().find('\0') == std::string::npos) {
      auto text = field->get<std::string>();
      if (!text.empty() || !is_required) return text;
    } else if (is_missing && !is_required) {
      return {};
    }
    refuse(key, "a text");
    return {};
  }

  std::filesystem::path absolute(const char* key, bool is_required = false) {
    std::string path = text(key, is_required);
    if (!path.empty() && !path.starts_with('/')) refuse(key, "an absolute path");
    return path;
  }

  std::int64_t count(const char* key, std::int64_t otherwise) {
    constexpr std::int64_t most = 1'000'000'000;
    const auto field = find(key);
    if (field == json_.end() || field->is_null()) return otherwise;
    if (field->is_number_integer()) {
      if (const auto number = field->get<std::int64_t>(); number >= 0 && number <= most) return number;
    }
    refuse(key, "a number from 0 up");
    return otherwise;
  }

  ordered_json object(const char* key) {
    const auto field = find(key);
    if (field == json_.end() || field->is_null()) return nullptr;
    if (!field->is_object()) refuse(key, "an object");
    return *field;
  }

  void refuse(const char* key, const std::string& expected) {
    if (problem_.empty()) problem_ = std::string("launcher.") + key + ": expected " + expected;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  [[nodiscard]] ordered_json::const_iterator find(const char* key) const {
    return json_.is_object() ? json_.find(key) : json_.end();
  }

  const ordered_json& json_;
  std::string problem_;
};

/// It becomes part of a path of requests, where PAI takes "user~job" apart again.
bool is_user_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

PaiAccess read_access(Reader& reader) {
  PaiAccess access;
  access.url = reader.text("url", true);
  access.user = reader.text("user", true);
  access.token_file = reader.absolute("token_file", true);
  access.ca_file = reader.absolute("ca_file");
  if (!is_user_name(access.user)) reader.refuse("user", "letters, digits and . _ -");
  return access;
}

proto::Result<void> check_url(const PaiAccess& access) {
  const auto address = HttpAddress::parse(access.url);
  return address ? proto::Result<void>() : proto::fail("launcher.url: " + address.error().message);
}

}  // namespace

ordered_json PaiAccess::to_json() const {
  return {{"url", url}, {"user", user}, {"token_file", token_file.string()}, {"ca_file", ca_file.string()}};
}

proto::Result<PaiAccess> PaiAccess::from_json(const ordered_json& json) {
  Reader reader(json);
  PaiAccess access = read_access(reader);
  if (!reader.problem().empty()) return proto::fail(reader.problem());
  if (const auto checked = check_url(access); !checked) return tl::unexpected<proto::Error>(checked.error());
  return access;
}

proto::Result<PaiSettings> PaiSettings::from_json(const ordered_json& launcher) {
  Reader reader(launcher);
  PaiSettings settings;
  settings.access = read_access(reader);
  settings.mount.local = reader.absolute("local_mount", true);
  settings.mount.container = reader.absolute("container_mount", true).string();
  while (settings.mount.container.size() > 1 && settings.mount.container.ends_with('/')) {
    settings.mount.container.pop_back();
  }
  settings.storage = reader.text("storage");
  settings.image = reader.text("image");
  settings.virtual_cluster = reader.text("virtual_cluster");
  settings.cpus = reader.count("cpus", 1);
  settings.memory_mb = reader.count("memory_mb", 0);
  settings.gpus = reader.count("gpus", 0);
  settings.protocol = reader.object("protocol");
  if (!reader.problem().empty()) return proto::fail(reader.problem());
  if (const auto checked = check_url(settings.access); !checked) return tl::unexpected<proto::Error>(checked.error());
  return settings;
}

}  // namespace lathe::agent
