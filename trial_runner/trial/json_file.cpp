#include "json_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace lathe::trial {

using Json = nlohmann::ordered_json;

Result<std::string> read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) return fail(fmt::format("{}: cannot be read", file.string()));
  return text;
}

Result<Json> read_json(const std::filesystem::path& file) {
  const auto text = read_text(file);
  if (!text) return tl::unexpected(text.error());
  try {
    return Json::parse(*text);
  } catch (const Json::parse_error& error) {
    return fail(fmt::format("{}: not JSON: {}", file.string(), error.what()));
  }
}

Result<void> write_json(const std::filesystem::path& file, const Json& json) {
  std::filesystem::path temporary = file;
  temporary += ".tmp";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  stream.close();
  std::error_code status;
  if (stream) std::filesystem::rename(temporary, file, status);
  if (stream && !status) return {};
  const std::string reason = status ? status.message() : std::strerror(errno);
  std::filesystem::remove(temporary, status);
  return fail(fmt::format("{}: cannot be written: {}", file.string(), reason));
}

}  // namespace lathe::trial
