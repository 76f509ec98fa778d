#include "nni_only_keys.hpp"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "known_keys.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

/// A key that may be ignored, and the value at which ignoring it changes nothing at all (null: none).
struct IgnoredKey {
  std::string_view key;
  ordered_json harmless;
};

void warn_of_ignored(const Fields& fields, const std::vector<IgnoredKey>& keys, Problems& problems) {
  for (const IgnoredKey& row : keys) {
    const auto value = fields.find(row.key);
    if (value && value->json() != row.harmless) {
      problems.warn(*value, fmt::format("ignored: {}, since Lathe does not act on it yet", describe(value->json())));
    }
  }
}

void check_annotation(const Fields& fields, Problems& problems) {
  const auto value = fields.find("useAnnotation");
  if (value && read_bool(*value, problems).value_or(false)) {
    problems.add(*value, "not supported yet: annotations; expected false and a search space, found true");
  }
}

void check_type(const Fields& fields, Problems& problems) {
  constexpr auto types = std::to_array<std::string_view>({"hpo", "nas"});
  const auto value = fields.find("experimentType");
  const auto index = value ? read_name(*value, types, problems) : std::nullopt;
  if (index && types[*index] != "hpo")
    problems.add(*value, "not supported yet: architecture search; expected hpo, found nas");
}

void refuse(const Fields& fields, std::string_view key, std::string_view what, Problems& problems) {
  const auto value = fields.find(key);
  if (value)
    problems.add(*value, fmt::format("not supported yet: {}; expected none, found {}", what, describe(value->json())));
}

}  // namespace

void check_nni_only_keys(const Fields& experiment, Problems& problems) {
  check_type(experiment, problems);
  check_annotation(experiment, problems);
  refuse(experiment, "assessor", "assessors", problems);
  refuse(experiment, "advisor", "advisors", problems);
  warn_of_ignored(experiment,
                  {{"nniManagerIp", nullptr},
                   {"debug", false},
                   {"logLevel", nullptr},
                   {"experimentWorkingDirectory", nullptr},
                   {"tunerGpuIndices", nullptr},
                   {"sharedStorage", nullptr}},
                  problems);
}

}  // namespace lathe::proto
