#include "http/static_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "http/open_beneath.hpp"
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
std::string entity_tag(const struct stat& status) {
  return fmt::format("\"{:x}.{:x}-{:x}\"", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size);
}

HttpResponse not_found(const HttpRequest& request) {
  return problem_response(HttpStatus::not_found, "there is no page at " + request.path);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 64 * 1024> block;
  for (;;) {
    const ssize_t count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw std::system_error(errno, std::generic_category(), "read");
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
}

HttpResponse file_answer(const fs::path& name, const FileDescriptor& file, const HttpRequest& request) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
  const std::string tag = entity_tag(status);
  HttpResponse response;
  response.set("ETag", tag).set("Cache-Control", "no-cache");
  if (request.header("If-None-Match") == tag) {
    response.status = HttpStatus::not_modified;
    return response;
  }
  response.body = read_all(file.get());
  response.set("Content-Type", std::string(content_type(name)));
  response.set("Content-Security-Policy", std::string(content_security_policy)).set("Referrer-Policy", "no-referrer");
  return response;
}

}  // namespace

HttpResponse serve_static(const fs::path& root, const HttpRequest& request) {
  fs::path name;
  for (const std::string& segment : request.segments) {
    if (segment.empty() && &segment == &request.segments.back()) break;
    if (!is_plain_name(segment)) return not_found(request);
    name /= segment;
  }
  const bool is_folder = request.segments.empty() || request.segments.back().empty();
  if (is_folder) name /= "index.html";
  const auto file = open_beneath(root, name);
  if (!file) return not_found(request);
  return file_answer(name, *file, request);
}

}  // namespace lathe::manager
