#define OPENSSL_SUPPRESS_DEPRECATED  // see Hasher
#include <lathe/proto/file_stream.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <openssl/sha.h>

#include <lathe/proto/frames.hpp>

namespace lathe::proto {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr int max_nesting = 16;

std::string errno_text() {
  return std::strerror(errno);
}

/// By OpenSSL's plain functions: the ones in front of them bring providers and what loads them, which has no place in a
/// program that is linked statically, as lathe-agent is.
class Hasher {
 public:
  Hasher() { SHA256_Init(&context_); }

  void add(const char* data, std::size_t size) { SHA256_Update(&context_, data, size); }

  [[nodiscard]] std::string finish() {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256_Final(digest.data(), &context_);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : digest) {
      text += digits[byte >> 4];
      text += digits[byte & 15];
    }
    return text;
  }

 private:
  SHA256_CTX context_{};
};

class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags, unsigned mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~OpenFile() { close(); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

/// A file being received: first under another name, beside its place. Remembers the first thing that went wrong.
class IncomingFile {
 public:
  IncomingFile(fs::path place, unsigned mode)
      : place_(std::move(place)), temporary_(place_.string() + ".incoming"), mode_(mode) {
    std::error_code error;
    fs::create_directories(place_.parent_path(), error);
    if (error) trouble_ = "cannot create " + place_.parent_path().string() + ": " + error.message();
    ::unlink(temporary_.c_str());
    file_ = std::make_unique<OpenFile>(temporary_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!file_->is_open()) note();
  }
  ~IncomingFile() {
    if (!kept_) ::unlink(temporary_.c_str());
  }
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  void write(const char* data, std::size_t size) {
    while (trouble_.empty() && size > 0) {
      const ssize_t count = ::write(file_->get(), data, size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return note();
      data += count;
      size -= static_cast<std::size_t>(count);
    }
  }

  [[nodiscard]] Result<void> keep() {
    if (trouble_.empty() && ::fchmod(file_->get(), mode_ & 0777) != 0) note();
    if (!file_->close()) note();
    if (trouble_.empty() && std::rename(temporary_.c_str(), place_.c_str()) != 0) note();
    if (!trouble_.empty()) return fail(trouble_);
    kept_ = true;
    return {};
  }

 private:
  void note() {
    if (trouble_.empty()) trouble_ = "cannot write " + place_.string() + ": " + errno_text();
  }

  fs::path place_;
  fs::path temporary_;
  unsigned mode_;
  std::unique_ptr<OpenFile> file_;
  std::string trouble_;
  bool kept_ = false;
};

}  // namespace

Result<std::string> hash_of_file(const fs::path& path) {
  const OpenFile file(path, O_RDONLY);
  if (!file.is_open()) return fail("cannot read " + path.string() + ": " + errno_text());
  Hasher hasher;
  std::vector<char> chunk(chunk_bytes);
  for (;;) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("cannot read " + path.string() + ": " + errno_text());
    if (count == 0) return hasher.finish();
    hasher.add(chunk.data(), static_cast<std::size_t>(count));
  }
}

std::string hash_of_text(std::string_view text) {
  Hasher hasher;
  hasher.add(text.data(), text.size());
  return hasher.finish();
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool stays_below(std::string_view relative) {
  if (relative.empty() || relative.front() == '/' || relative.find('\0') != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin <= relative.size();) {
    const std::size_t end = std::min(relative.find('/', begin), relative.size());
    const std::string_view part = relative.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

// ---- FileStream
// ------------------------------------------------------------------------------------------------------

Result<void> FileStream::write_all(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::write(output_, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("the connection broke: " + errno_text());
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::size_t> FileStream::read_some(char* data, std::size_t size) {
  for (;;) {
    const ssize_t count = ::read(input_, data, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return fail("the connection broke: " + errno_text());
  }
}

Result<void> FileStream::read_exactly(char* data, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const auto count = read_some(data + done, size - done);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) return fail("the connection ended in the middle");
    done += *count;
  }
  return {};
}

Result<void> FileStream::send(const nlohmann::ordered_json& message) {
  using Json = nlohmann::ordered_json;
  const std::string frame = frame_json(message.dump(-1, ' ', false, Json::error_handler_t::replace));
  return write_all(frame.data(), frame.size());
}

Result<nlohmann::ordered_json> FileStream::receive() {
  std::array<char, 4> prefix{};
  const auto first = read_some(prefix.data(), 1);
  if (!first) return tl::unexpected(first.error());
  if (*first == 0) {
    at_end_ = true;
    return fail("the connection has ended");
  }
  if (auto rest = read_exactly(prefix.data() + 1, prefix.size() - 1); !rest) return tl::unexpected(rest.error());
  std::size_t length = 0;
  for (const char byte : prefix) length = (length << 8) | static_cast<unsigned char>(byte);
  if (length > max_frame_bytes) return fail("a frame claims a length of " + std::to_string(length) + " bytes");
  std::string text(length, '\0');
  if (auto body = read_exactly(text.data(), length); !body) return tl::unexpected(body.error());
  const auto too_deep = [](int depth, nlohmann::ordered_json::parse_event_t, nlohmann::ordered_json&) {
    return depth <= max_nesting;
  };
  auto json = nlohmann::ordered_json::parse(text, too_deep, false);
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string())
    return fail("a frame is no object with a type");
  return json;
}

bool FileStream::has_input() const {
  pollfd item{input_, POLLIN, 0};
  return ::poll(&item, 1, 0) > 0;
}

Result<void> FileStream::send_bytes(int file, std::uint64_t size) {
  std::vector<char> chunk(chunk_bytes);
  std::uint64_t left = size;
  std::string trouble;
  while (left > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, chunk.size()));
    const ssize_t count = trouble.empty() ? ::read(file, chunk.data(), wanted) : 0;
    if (count < 0 && errno == EINTR) continue;
    std::size_t good = count > 0 ? static_cast<std::size_t>(count) : 0;
    if (good == 0) {
      if (trouble.empty()) trouble = count < 0 ? errno_text() : "the file became shorter while it was read";
      std::memset(chunk.data(), 0, wanted);
      good = wanted;
    }
    if (auto written = write_all(chunk.data(), good); !written) return written;
    left -= good;
  }
  if (!trouble.empty()) return fail(trouble);
  return {};
}

Result<void> FileStream::send_text(std::string_view bytes) {
  return write_all(bytes.data(), bytes.size());
}

Result<std::string> FileStream::receive_file(const fs::path& path, std::uint64_t size, unsigned mode) {
  IncomingFile file(path, mode);
  Hasher hasher;
  std::vector<char> chunk(chunk_bytes);
  for (std::uint64_t left = size; left > 0;) {
    const auto count = read_some(chunk.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, chunk.size())));
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) return fail("the connection ended in the middle of " + path.filename().string());
    hasher.add(chunk.data(), *count);
    file.write(chunk.data(), *count);
    left -= *count;
  }
  if (auto kept = file.keep(); !kept) return tl::unexpected(kept.error());
  return hasher.finish();
}

}  // namespace lathe::proto
