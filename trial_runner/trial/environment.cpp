#include "environment.hpp"

#include <fmt/format.h>

namespace lathe::trial {
namespace {

std::optional<std::string> variable(const Lookup& lookup, const char* name) {
  const char* value = lookup(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<std::string> required(const Lookup& lookup, const char* name, const char* meaning) {
  if (auto value = variable(lookup, name)) return *value;
  return fail(fmt::format("the environment variable {} is not set; it names {}", name, meaning));
}

Result<std::filesystem::path> folder(const std::string& path, const char* name) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) return path;
  return fail(fmt::format("{} is {}, which is not a folder", name, path));
}

}  // namespace

Result<Environment> read_environment(const Lookup& lookup) {
  const auto system = required(lookup, "NNI_SYS_DIR", "the trial's folder").and_then([](const std::string& path) {
    return folder(path, "NNI_SYS_DIR");
  });
  if (!system) return tl::unexpected(system.error());
  const auto config = required(lookup, "LATHE_COMPRESSION_CONFIG", "the JSON file of the compression settings");
  if (!config) return tl::unexpected(config.error());
  const auto output = folder(variable(lookup, "NNI_OUTPUT_DIR").value_or(system->string()), "NNI_OUTPUT_DIR");
  if (!output) return tl::unexpected(output.error());

  Environment environment;
  environment.system_directory = *system;
  environment.output_directory = *output;
  environment.trial_job_id = variable(lookup, "NNI_TRIAL_JOB_ID").value_or("");
  environment.compression_config = *config;
  environment.search_space = variable(lookup, "LATHE_SEARCH_SPACE");
  environment.baseline = variable(lookup, "LATHE_BASELINE");
  environment.host_directory = variable(lookup, "LATHE_HOST_DIRECTORY");
  return environment;
}

}  // namespace lathe::trial
