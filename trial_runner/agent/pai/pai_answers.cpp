#include "pai/pai_answers.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

using nlohmann::json;

constexpr std::size_t longest_message = 400;

json parsed(std::string_view body) {
  return json::parse(body.begin(), body.end(), nullptr, false);
}

/// One line that people can read; PAI's diagnostics may be pages of YAML.
std::string one_line(std::string text) {
  text = text.substr(0, longest_message);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  while (text.ends_with(' ')) text.pop_back();
  return to_valid_utf8(text);
}

std::string text_of(const json& object, const char* key) {
  const auto field = object.is_object() ? object.find(key) : object.end();
  return field != object.end() && field->is_string() ? one_line(field->get<std::string>()) : std::string();
}

const json& part_of(const json& object, const char* key) {
  static const json none;
  const auto field = object.is_object() ? object.find(key) : object.end();
  return field != object.end() ? *field : none;
}

std::optional<int> exit_code_of(const json& object) {
  const json& code = part_of(object, "appExitCode");
  if (!code.is_number_integer()) return std::nullopt;
  const auto number = code.get<std::int64_t>();
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(number);
}

/// `status`: a job in the list, or jobStatus of the details.
PaiRow row_of(const json& status, const std::string& name) {
  return {name, text_of(status, "state"), text_of(status, "subState"), text_of(status, "virtualCluster"),
          exit_code_of(status)};
}

std::string use_of(const json& cluster, const char* key, const char* name) {
  const json& used = part_of(part_of(cluster, "resourcesUsed"), key);
  const json& total = part_of(part_of(cluster, "resourcesTotal"), key);
  if (!used.is_number() || !total.is_number()) return {};
  return fmt::format("{:g} of {:g} {}", used.get<double>(), total.get<double>(), name);
}

bool is_worth_another_try(int status, bool has_code) {
  constexpr std::array busy{401, 408, 425, 429};
  if (status >= 500 || status < 400 || std::find(busy.begin(), busy.end(), status) != busy.end()) return true;
  // Not PAI but what stands before it: it may be starting.
  return status == 404 && !has_code;
}

std::string about_token(const std::string& said, const PaiAccess& access) {
  return fmt::format(
      "PAI does not accept the token of {} (401{}): it has expired or was revoked. Make a new one in PAI's "
      "portal (profile, tokens) and write it into {}; the trial goes on meanwhile",
      access.user, said.empty() ? "" : ": " + said, access.token_file.string());
}

}  // namespace

std::optional<PaiListing> parse_pai_listing(std::string_view body) {
  const json document = parsed(body);
  // With a total count, later versions put the list into an object.
  const json& list = document.is_object() ? part_of(document, "data") : document;
  if (!list.is_array()) return std::nullopt;
  PaiListing listing;
  for (const json& job : list) {
    PaiRow row = row_of(job, text_of(job, "name"));
    if (!row.name.empty() && !row.state.empty()) listing.insert_or_assign(row.name, row);
  }
  return listing;
}

std::optional<PaiDetail> parse_pai_detail(std::string_view body) {
  const json document = parsed(body);
  const json& status = part_of(document, "jobStatus");
  PaiDetail detail;
  detail.row = row_of(status, text_of(document, "name"));
  if (detail.row.state.empty()) return std::nullopt;
  const json& spec = part_of(status, "appExitSpec");
  detail.exit_type = text_of(spec, "type");
  if (detail.exit_type.empty()) detail.exit_type = text_of(status, "appExitType");
  for (const std::string& part :
       {text_of(spec, "phrase"), text_of(spec, "reason"), text_of(part_of(status, "appExitMessages"), "launcher"),
        text_of(status, "appExitTriggerMessage")}) {
    if (!part.empty() && detail.reason.find(part) == std::string::npos) {
      detail.reason += (detail.reason.empty() ? "" : ": ") + part;
    }
  }
  return detail;
}

std::string parse_cluster_use(std::string_view body) {
  const json cluster = parsed(body);
  const std::string gpus = use_of(cluster, "GPUs", "GPUs");
  const std::string cpus = use_of(cluster, "vCores", "CPUs");
  if (gpus.empty() && cpus.empty()) return {};
  return "uses " + gpus + (gpus.empty() || cpus.empty() ? "" : ", ") + cpus;
}

PaiRefusal refusal_of(const HttpAnswer& answer, const PaiAccess& access) {
  PaiRefusal refusal;
  if (answer.status == 0) {
    refusal.message = fmt::format("{} cannot be asked: {}", access.url, answer.error);
    refusal.may_pass = true;
    return refusal;
  }
  const json body = parsed(answer.body);
  refusal.code = text_of(body, "code");
  const std::string said = text_of(body, "message");
  refusal.may_pass = is_worth_another_try(answer.status, !refusal.code.empty());
  refusal.is_unknown_job = answer.status == 404 && refusal.code == "NoJobError";
  refusal.is_taken_name = answer.status == 409 && (refusal.code == "ConflictJobError" || refusal.code.empty());
  if (answer.status == 401) {
    refusal.message = about_token(said, access);
  } else if (answer.status >= 300 && answer.status < 400) {
    refusal.message = fmt::format("{} leads on to {}: expected the address of PAI itself as host", access.url,
                                  one_line(answer.location));
  } else {
    const std::string what = said.empty() ? one_line(answer.body) : said;
    refusal.message = fmt::format("{} answers {}{}{}", access.url, answer.status, what.empty() ? "" : ": ", what);
  }
  return refusal;
}

}  // namespace lathe::agent
