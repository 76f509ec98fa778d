#include "http/copy.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "output/text.hpp"

namespace lathe::cli {

Outcome<ExitCode> copy_answer(ResponseStream& from, std::ostream& to) {
  constexpr std::chrono::seconds patience{60};
  while (true) {
    std::string bytes;
    const ReadEnd end = from.read(bytes, std::chrono::steady_clock::now() + patience);
    to << bytes;
    if (!to) return fail("the answer cannot be written");
    if (end == ReadEnd::Finished) return ExitCode::Ok;
    if (end != ReadEnd::Data) return fail("the answer broke off before its end", ExitCode::Unreachable);
  }
}

Outcome<ExitCode> copy_answer_to_file(ResponseStream& from, const std::string& filename) {
  const std::string partial = filename + ".part";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  if (!file) return fail(fmt::format("{}: {}", escape(partial), std::generic_category().message(errno)));
  auto copied = copy_answer(from, file);
  file.close();
  std::error_code error;
  if (copied && file.fail()) copied = fail(fmt::format("{}: cannot be written", escape(partial)));
  if (copied) std::filesystem::rename(partial, filename, error);
  if (copied && error) copied = fail(fmt::format("{}: {}", escape(filename), error.message()));
  if (!copied) std::filesystem::remove(partial, error);
  return copied;
}

}  // namespace lathe::cli
