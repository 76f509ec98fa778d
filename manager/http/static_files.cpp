#include "http/static_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
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
    "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'";

/// Compressed forms beside a file, the smaller one first.
struct Coding {
  std::string_view name;
  std::string_view suffix;
};
constexpr std::array<Coding, 2> codings{{{"br", ".br"}, {"gzip", ".gz"}}};

constexpr std::string_view asset_folder = "assets";
constexpr std::size_t shortest_hash = 8;

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

/// `assets/NAME-HASH.js`: another content has another name.
bool is_hashed(const fs::path& name) {
  if (name.begin() == name.end() || *name.begin() != fs::path(asset_folder)) return false;
  const std::string file = name.filename().string();
  const std::string_view stem = std::string_view(file).substr(0, file.find('.'));
  if (stem.size() <= shortest_hash) return false;
  const std::string_view hash = stem.substr(stem.size() - shortest_hash);
  const auto is_of_hash = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  // The hash may hold a dash itself, so that the one in front of it need not be the last.
  return std::all_of(hash.begin(), hash.end(), is_of_hash) &&
         stem.substr(0, stem.size() - shortest_hash).find('-') != stem.npos;
}

struct OpenedFile {
  FileDescriptor file;
  std::string_view coding;  ///< empty: as it is
};

std::optional<OpenedFile> open_best(const fs::path& root, const fs::path& name, const HttpRequest& request) {
  auto plain = open_beneath(root, name);
  if (!plain) return std::nullopt;
  for (const Coding& coding : codings) {
    if (!accepts_coding(request.header("Accept-Encoding"), coding.name)) continue;
    fs::path compressed = name;
    compressed += coding.suffix;
    if (auto file = open_beneath(root, compressed)) return OpenedFile{std::move(*file), coding.name};
  }
  return OpenedFile{std::move(*plain), {}};
}

HttpResponse file_answer(const fs::path& name, const OpenedFile& opened, const HttpRequest& request) {
  struct stat status {};
  if (::fstat(opened.file.get(), &status) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
  const std::string tag = entity_tag(status);
  HttpResponse response;
  response.set("ETag", tag).set("Vary", "Accept-Encoding");
  response.set("Cache-Control", is_hashed(name) ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.header("If-None-Match") == tag) {
    response.status = HttpStatus::not_modified;
    return response;
  }
  response.body = read_all(opened.file.get());
  response.set("Content-Type", std::string(content_type(name)));
  if (!opened.coding.empty()) response.set("Content-Encoding", std::string(opened.coding));
  response.set("Content-Security-Policy", std::string(content_security_policy)).set("Referrer-Policy", "no-referrer");
  return response;
}

/// A weight is 0, or 1 to 0.001; `q=0` refuses.
bool is_refused(std::string_view parameters) {
  const auto q = parameters.find("q=");
  if (q == parameters.npos) return false;
  const std::string_view digits = parameters.substr(q + 2);
  double weight = 1;
  std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  return weight == 0;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

bool accepts_coding(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const auto comma = std::min(header.find(','), header.size());
    const std::string_view entry = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    const auto semicolon = std::min(entry.find(';'), entry.size());
    if (trimmed(entry.substr(0, semicolon)) == coding) return !is_refused(entry.substr(semicolon));
  }
  return false;
}

HttpResponse serve_static(const fs::path& root, const HttpRequest& request) {
  fs::path name;
  for (const std::string& segment : request.segments) {
    if (segment.empty() && &segment == &request.segments.back()) break;
    if (!is_plain_name(segment)) return not_found(request);
    name /= segment;
  }
  const bool is_folder = request.segments.empty() || request.segments.back().empty();
  if (is_folder) name /= "index.html";
  if (const auto file = open_best(root, name, request)) return file_answer(name, *file, request);
  if (request.segments.empty() || request.segments.front() == asset_folder) return not_found(request);
  if (const auto page = open_best(root, "index.html", request)) return file_answer("index.html", *page, request);
  return not_found(request);
}

}  // namespace lathe::manager
