#include "slurm/slurm_settings.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace lathe::agent {
namespace {

/// The agent sets these, or they would keep it from reading sbatch's answer.
constexpr std::array<std::string_view, 13> kept_options{"array",     "chdir",   "comment", "error",   "help",
                                                        "open-mode", "output",  "quiet",   "requeue", "parsable",
                                                        "test-only", "version", "wrap"};
/// Options of one word that others begin with: only the whole word is meant.
constexpr std::array<std::string_view, 2> kept_words{"wait", "usage"};
constexpr std::size_t shortest_abbreviation = 3;

std::string_view name_of(std::string_view directive) {
  return directive.substr(2, directive.find('=') - 2);
}

/// sbatch takes abbreviations too.
bool is_kept(std::string_view name) {
  const auto abbreviates = [name](std::string_view option) {
    return name.size() >= shortest_abbreviation && option.starts_with(name);
  };
  return std::any_of(kept_options.begin(), kept_options.end(), abbreviates) ||
         std::find(kept_words.begin(), kept_words.end(), name) != kept_words.end();
}

proto::Result<void> check_directive(const std::string& directive) {
  const auto refuse = [&](const std::string& why) {
    return proto::fail("launcher.directives: \"" + directive + "\" " + why);
  };
  if (!directive.starts_with("--") || name_of(directive).empty())
    return refuse("does not begin with \"--\" and a name");
  if (directive.find_first_of(std::string("\n\r\0", 3)) != std::string::npos) return refuse("has more than one line");
  if (is_kept(name_of(directive))) return refuse("is for the agent to set");
  return {};
}

}  // namespace

proto::Result<SlurmSettings> SlurmSettings::from_json(const nlohmann::ordered_json& launcher) {
  SlurmSettings settings;
  if (const auto prologue = launcher.find("prologue"); prologue != launcher.end() && !prologue->is_null()) {
    if (!prologue->is_string()) return proto::fail("launcher.prologue: expected a text");
    settings.prologue = prologue->get<std::string>();
    if (settings.prologue.find('\0') != std::string::npos) return proto::fail("launcher.prologue: has a NUL byte");
  }
  const auto directives = launcher.find("directives");
  if (directives == launcher.end() || directives->is_null()) return settings;
  if (!directives->is_array()) return proto::fail("launcher.directives: expected a list of texts");
  for (const auto& directive : *directives) {
    if (!directive.is_string()) return proto::fail("launcher.directives: expected a list of texts");
    settings.directives.push_back(directive.get<std::string>());
    if (const auto checked = check_directive(settings.directives.back()); !checked) {
      return tl::unexpected<proto::Error>(checked.error());
    }
  }
  return settings;
}

std::string SlurmSettings::clusters() const {
  constexpr std::size_t shortest_name = 2;  // --cl: no other option begins so but --clusters and --cluster-constraint
  std::string named;
  for (const std::string& directive : directives) {
    const std::string_view name = name_of(directive);
    const auto equals = directive.find('=');
    if (name.size() < shortest_name || !std::string_view("clusters").starts_with(name)) continue;
    if (equals != std::string::npos) named = directive.substr(equals + 1);
  }
  return named;
}

}  // namespace lathe::agent
