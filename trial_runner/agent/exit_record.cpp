#include "exit_record.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <system_error>

#include "system_error.hpp"

namespace lathe::agent {
namespace {

constexpr std::size_t record_bytes = 48;
constexpr std::string_view exit_word = "exit ";
constexpr std::string_view signal_word = "signal ";
constexpr std::string_view launch_word = "launch ";

/// The padded line, put together without allocating.
class Line {
 public:
  Line() {
    bytes_.fill(' ');
    bytes_.back() = '\n';
  }
  Line& operator<<(std::string_view word) {
    at_ = std::copy(word.begin(), word.end(), at_);
    return *this;
  }
  Line& operator<<(int number) {
    at_ = std::to_chars(at_, bytes_.data() + record_bytes - 1, number).ptr;
    return *this;
  }
  [[nodiscard]] bool write(int file) const { return ::pwrite(file, bytes_.data(), record_bytes, 0) == record_bytes; }

 private:
  std::array<char, record_bytes> bytes_{};
  char* at_ = bytes_.data();
};

void add(Line& line, const ExitCode& end) {
  line << exit_word << end.code;
}
void add(Line& line, const EndingSignal& end) {
  line << signal_word << end.number;
}
void add(Line& line, const proto::LaunchReport& report) {
  line << launch_word << static_cast<int>(report.step) << " " << report.code;
}

/// Takes a number off the front; nullopt: there is none.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end == text.data() + text.size() || *end != ' ') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return number;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

proto::Result<Descriptor> make_exit_record(const std::filesystem::path& file) {
  Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!descriptor.is_open()) return proto::fail(describe_errno("cannot make " + file.string()));
  Line line;
  line << "running";
  if (line.write(descriptor.get())) return descriptor;
  const int code = errno;
  ::unlink(file.c_str());
  return proto::fail(describe_errno("cannot write " + file.string(), code));
}

void write_exit_record(int file, const ExitRecord& record) {
  Line line;
  std::visit([&line](const auto& end) { add(line, end); }, record);
  [[maybe_unused]] const bool written = line.write(file);
}

std::optional<ExitRecord> parse_exit_record(std::string_view text) {
  if (text.size() != record_bytes || text.back() != '\n') return std::nullopt;
  if (take_word(text, exit_word)) {
    const auto code = take_number(text);
    if (code) return ExitCode{*code};
  } else if (take_word(text, signal_word)) {
    const auto number = take_number(text);
    if (number) return EndingSignal{*number};
  } else if (take_word(text, launch_word)) {
    const auto step = take_number(text);
    const auto code = step ? take_number(text) : std::nullopt;
    if (code) return proto::LaunchReport{static_cast<proto::LaunchStep>(*step), *code};
  }
  return std::nullopt;
}

std::optional<ExitRecord> read_exit_record(const std::filesystem::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, record_bytes + 1> bytes{};
  const ssize_t count = descriptor.is_open() ? ::pread(descriptor.get(), bytes.data(), bytes.size(), 0) : -1;
  if (count < 0) return std::nullopt;
  return parse_exit_record({bytes.data(), static_cast<std::size_t>(count)});
}

}  // namespace lathe::agent
