#include "path_resolver.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "reader.hpp"

namespace lathe::proto {
namespace {

namespace fs = std::filesystem;

Result<std::string> variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr && *value != '\0') return std::string(value);
  return fail(fmt::format("the environment variable {} is not set", name));
}

bool is_variable_name(std::string_view name) {
  const auto is_name_character = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

Result<std::string> expand_variables(std::string_view text) {
  std::string expanded;
  while (true) {
    const std::size_t start = text.find("${");
    expanded += text.substr(0, start);
    if (start == std::string_view::npos) return expanded;
    const std::size_t end = text.find('}', start);
    const std::string name(text.substr(start + 2, end == std::string_view::npos ? end : end - start - 2));
    if (end == std::string_view::npos || !is_variable_name(name))
      return fail("expected ${NAME} with the name of an environment variable");
    auto value = variable(name);
    if (!value) return value;
    expanded += *value;
    text.remove_prefix(end + 1);
  }
}

std::string listed_folders(const std::vector<fs::path>& folders) {
  std::string text;
  for (const fs::path& folder : folders) text += (text.empty() ? "" : ", ") + normal_path(folder).string();
  return text;
}

}  // namespace

fs::path normal_path(const fs::path& path) {
  std::error_code ignored;
  const fs::path result = fs::absolute(path, ignored).lexically_normal();
  return result.has_filename() || result == result.root_path() ? result : result.parent_path();
}

Result<std::string> expand_path(const std::string& text) {
  if (!text.starts_with('~')) return expand_variables(text);
  if (text.size() > 1 && text[1] != '/') return fail("expected ~/… for the home folder; ~user is not supported");
  const auto home = variable("HOME");
  if (!home) return home;
  auto rest = expand_variables(std::string_view(text).substr(1));
  return rest ? Result<std::string>(*home + *rest) : rest;
}

std::optional<std::string> unusable_reason(const fs::path& path, PathKind kind) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return "does not exist";
  if (status.type() == fs::file_type::none) return error.message();
  const bool is_right = kind == PathKind::File ? fs::is_regular_file(status) : fs::is_directory(status);
  if (!is_right) return kind == PathKind::File ? "is not a regular file" : "is not a folder";
  const int mode = kind == PathKind::File ? R_OK : R_OK | X_OK;
  if (access(path.c_str(), mode) != 0) return "cannot be read (permission denied)";
  return std::nullopt;
}

PathResolver PathResolver::verbatim() {
  PathResolver resolver({});
  resolver.verbatim_ = true;
  return resolver;
}

Result<fs::path> PathResolver::look_up(const std::string& text, PathKind kind) const {
  const auto expanded = expand_path(text);
  if (!expanded) return tl::unexpected(expanded.error());
  const std::string_view what = kind == PathKind::File ? "file" : "folder";
  const fs::path path(*expanded);
  if (path.is_absolute()) {
    const auto reason = unusable_reason(path, kind);
    if (reason) return fail(fmt::format("expected a {} that can be read; {} {}", what, path.string(), *reason));
    return normal_path(path);
  }
  if (search_path_.empty())
    return fail("expected an absolute path; there is no folder in which to look up a relative one");
  std::string reason = "does not exist";
  for (const fs::path& folder : search_path_) {
    const auto problem = unusable_reason(folder / path, kind);
    if (!problem) return normal_path(folder / path);
    if (*problem != "does not exist") reason = *problem;
  }
  return fail(
      fmt::format("expected a {} that can be read; it {} (looked in {})", what, reason, listed_folders(search_path_)));
}

std::optional<fs::path> PathResolver::resolve(const Value& value, PathKind kind, Problems& problems) const {
  const auto text = read_text(value, problems);
  if (!text) return std::nullopt;
  if (verbatim_) {
    if (fs::path(*text).is_absolute()) return fs::path(*text);
    problems.add_mismatch(value, "an absolute path");
    return std::nullopt;
  }
  auto path = look_up(*text, kind);
  if (path) return *std::move(path);
  problems.add(value, fmt::format("{}: {}", describe(value.json()), path.error().message));
  return std::nullopt;
}

}  // namespace lathe::proto
