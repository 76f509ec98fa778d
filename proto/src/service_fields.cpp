#include "service_fields.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "reader.hpp"

namespace lathe::proto {

void refuse_copies(const Fields& fields, Problems& problems) {
  for (const std::string_view key : {"trialCommand", "trialCodeDirectory", "trialGpuNumber"}) {
    if (const auto value = fields.find(key)) {
      problems.add(*value, fmt::format("not supported here; expected {} at the top level, found {}", key,
                                       describe(value->json())));
    }
  }
}

void warn_of_ignored(const Fields& fields, Problems& problems) {
  const auto warn = [&](std::string_view key, const nlohmann::ordered_json& harmless) {
    const auto value = fields.find(key);
    if (value && value->json() != harmless)
      problems.warn(*value, fmt::format("ignored: {}, since Lathe needs no such setting", describe(value->json())));
  };
  warn("nniManagerIp", nullptr);
  warn("debug", false);
  warn("reuseMode", false);
  warn("remoteConfig", nullptr);
}

std::optional<Value> find_either(const Fields& fields, std::string_view name, std::string_view old_name) {
  const auto value = fields.find(name);
  return value ? value : fields.find(old_name);
}

Secret read_secret(const std::optional<Value>& value, Problems& problems) {
  if (!value) return {};
  // Whatever is wrong with it, the message must not repeat it.
  if (!value->json().is_string() || value->json().get_ref<const std::string&>().empty()) {
    problems.add(*value, "expected a text that is not empty");
    return {};
  }
  const auto& text = value->json().get_ref<const std::string&>();
  if (text.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos)
    problems.add(*value, "expected a text of one line, without NUL");
  return Secret(text);
}

void read_line(const Fields& fields, std::string_view key, std::string& target, Problems& problems) {
  const auto value = fields.find(key);
  if (!value) return;
  const bool is_number = value->json().is_number_integer();
  const auto text = is_number ? std::optional(value->json().dump()) : read_text(*value, problems);
  if (!text) return;
  if (text->find_first_of(" \t\r\n") == std::string::npos)
    target = *text;
  else
    problems.add_mismatch(*value, "one word");
}

}  // namespace lathe::proto
