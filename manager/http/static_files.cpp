#include "http/static_files.hpp"

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "http/problem.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> content_types{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".woff2", "font/woff2"},
}};

constexpr std::string_view content_security_policy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

bool is_plain_name(const std::string& segment) {
  return !segment.empty() && segment.front() != '.' &&
         segment.find_first_of(std::string_view("/\\\0", 3)) == segment.npos;
}

std::string_view content_type(const fs::path& file) {
  const std::string extension = file.extension().string();
  for (const auto& [suffix, type] : content_types) {
    if (suffix == extension) return type;
  }
  return "application/octet-stream";
}

/// Changes whenever the file does.
std::string entity_tag(const fs::path& file, std::uintmax_t size) {
  return fmt::format("\"{:x}-{:x}\"", static_cast<std::uint64_t>(fs::last_write_time(file).time_since_epoch().count()),
                     size);
}

HttpResponse not_found(const HttpRequest& request) {
  return problem_response(HttpStatus::not_found, "there is no page at " + request.path);
}

bool is_inside(const fs::path& root, const fs::path& file) {
  const fs::path relative = fs::canonical(file).lexically_relative(fs::canonical(root));
  return !relative.empty() && *relative.begin() != "..";
}

HttpResponse read_file(const fs::path& file, const HttpRequest& request) {
  const std::string tag = entity_tag(file, fs::file_size(file));
  HttpResponse response;
  response.set("ETag", tag).set("Cache-Control", "no-cache");
  if (request.header("If-None-Match") == tag) {
    response.status = HttpStatus::not_modified;
    return response;
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return not_found(request);
  response.body.assign(std::istreambuf_iterator<char>(stream), {});
  response.set("Content-Type", std::string(content_type(file)));
  response.set("Content-Security-Policy", std::string(content_security_policy)).set("Referrer-Policy", "no-referrer");
  return response;
}

}  // namespace

HttpResponse serve_static(const fs::path& root, const HttpRequest& request) {
  fs::path file = root;
  for (const std::string& segment : request.segments) {
    if (segment.empty() && &segment == &request.segments.back()) break;
    if (!is_plain_name(segment)) return not_found(request);
    file /= segment;
  }
  std::error_code error;
  if (fs::is_directory(file, error)) file /= "index.html";
  if (!fs::is_regular_file(file, error) || !is_inside(root, file)) return not_found(request);
  return read_file(file, request);
}

}  // namespace lathe::manager
