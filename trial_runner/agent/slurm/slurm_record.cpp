#include "slurm/slurm_record.hpp"

#include <algorithm>
#include <string_view>

namespace lathe::agent {
namespace {

std::string prefix_of(const std::string& owner) {
  return "lathe:" + owner + ":";
}

/// A record may be damaged; what comes from it goes into paths and commands.
std::string word(const nlohmann::ordered_json& json, const char* name, std::string_view alphabet) {
  const auto field = json.is_object() ? json.find(name) : json.end();
  if (field == json.end() || !field->is_string()) return {};
  auto text = field->get<std::string>();
  return text.find_first_not_of(alphabet) == std::string::npos ? text : std::string();
}

}  // namespace

nlohmann::ordered_json SlurmRecord::to_json() const {
  nlohmann::ordered_json json{{"token", token}, {"job", job}, {"cluster", cluster}};
  if (task) json["task"] = *task;
  return json;
}

SlurmRecord SlurmRecord::from_json(const nlohmann::ordered_json& json) {
  constexpr std::string_view digits = "0123456789";
  SlurmRecord record;
  record.token = word(json, "token", "0123456789abcdef");
  record.job = word(json, "job", digits);
  record.cluster = word(json, "cluster", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,");
  const auto task = json.is_object() ? json.find("task") : json.end();
  if (task == json.end() || !task->is_number_integer()) return record;
  if (const auto number = task->get<std::int64_t>(); number >= 0) record.task = number;
  return record;
}

std::string slurm_comment(const std::string& owner, const std::string& token) {
  return prefix_of(owner) + token;
}

std::optional<std::string> token_of(const std::string& comment, const std::string& owner) {
  const std::string prefix = prefix_of(owner);
  return comment.starts_with(prefix) ? std::optional(comment.substr(prefix.size())) : std::nullopt;
}

}  // namespace lathe::agent
