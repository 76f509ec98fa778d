#include "files.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "output/text.hpp"

namespace lathe::cli {
namespace {

namespace fs = std::filesystem;

std::string slurp(std::istream& stream) {
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

Outcome<std::string> read_file(const fs::path& path, std::istream& standard_input) {
  if (path == "-") return slurp(standard_input);
  const auto refuse = [&path](const std::string& why) {
    return fail(fmt::format("{}: {}", escape(path.string()), why));
  };
  std::error_code error;
  if (fs::is_directory(path, error)) return refuse("is a folder, expected a file");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return refuse(std::generic_category().message(errno == 0 ? EIO : errno));
  std::string text = slurp(stream);
  if (stream.bad()) return refuse("cannot be read");
  return text;
}

Outcome<std::string> folder_of(const fs::path& path) {
  std::error_code error;
  const fs::path folder =
      path == "-" ? fs::current_path(error) : fs::absolute(path, error).lexically_normal().parent_path();
  if (error) return fail(fmt::format("{}: {}", escape(path.string()), error.message()));
  return folder.string();
}

}  // namespace lathe::cli
