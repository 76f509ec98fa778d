#include "file_server.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "descriptor.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using proto::fail;
using proto::Result;

constexpr std::size_t copy_bytes = 256 * 1024;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::vector<Json> list_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? std::vector<Json>(found->begin(), found->end())
                                                    : std::vector<Json>();
}

class FileServer {
 public:
  FileServer(const fs::path& root, proto::FileStream& stream)
      : root_(root.lexically_normal()), store_(root_ / "store"), stream_(stream) {}

  Result<void> serve() {
    for (;;) {
      const auto message = stream_.receive();
      if (!message) {
        if (stream_.at_end()) return {};
        return tl::unexpected(message.error());
      }
      if (auto handled = handle(*message); !handled) return handled;
    }
  }

 private:
  Result<void> handle(const Json& message) {
    const std::string type = text_of(message, "type");
    if (type == "store") return tell_missing(message);
    if (type == "blob") return keep_blob(message);
    if (type == "place") return answer(place(message));
    if (type == "fetch") return fetch(message);
    return fail("\"" + type.substr(0, 64) + "\" is no message of the file channel");
  }

  Result<void> answer(const Result<void>& outcome) {
    if (outcome) return stream_.send({{"type", "done"}});
    return stream_.send({{"type", "failed"}, {"why", outcome.error().message}});
  }

  // ---- the store ----

  Result<void> tell_missing(const Json& message) {
    Json missing = Json::array();
    std::set<std::string> seen;
    for (const Json& item : list_of(message, "hashes")) {
      const std::string hash = item.is_string() ? item.get<std::string>() : std::string();
      if (!proto::is_hash(hash)) return fail("a hash that is none was asked for");
      std::error_code ignored;
      if (seen.insert(hash).second && !fs::is_regular_file(store_ / hash, ignored)) missing.push_back(hash);
    }
    return stream_.send({{"type", "missing"}, {"hashes", std::move(missing)}});
  }

  Result<void> keep_blob(const Json& message) {
    const std::string hash = text_of(message, "hash");
    if (!proto::is_hash(hash)) return fail("a blob came without a hash");
    const fs::path arrived = store_ / (hash + ".unchecked");
    const auto received = stream_.receive_file(arrived, number_of(message, "size"), 0444);
    if (!received) {
      // Said at the next "place": until then the sender does not listen.
      trouble_ = received.error().message;
      return {};
    }
    std::error_code error;
    if (*received == hash) {
      fs::rename(arrived, store_ / hash, error);
    } else {
      fs::remove(arrived, error);
      trouble_ = "a file changed while it was being sent";
    }
    return {};
  }

  // ---- laying out ----

  /// Absolute, and below the root without a step back.
  [[nodiscard]] Result<fs::path> place_below_root(const std::string& text) const {
    const std::string prefix = root_.string() + "/";
    if (!text.starts_with(prefix) || !proto::stays_below(std::string_view(text).substr(prefix.size())))
      return fail("\"" + text + "\" does not lie below " + root_.string());
    return fs::path(text);
  }

  Result<void> place(const Json& message) {
    if (std::string trouble = std::exchange(trouble_, {}); !trouble.empty()) return fail(trouble);
    for (const Json& folder : list_of(message, "folders")) {
      const auto path = place_below_root(folder.is_string() ? folder.get<std::string>() : std::string());
      if (!path) return tl::unexpected(path.error());
      if (auto made = make_folder(*path); !made) return made;
    }
    for (const Json& entry : list_of(message, "entries")) {
      if (auto placed = place_entry(entry); !placed) return placed;
    }
    for (const Json& link : list_of(message, "links")) {
      if (auto placed = place_link(link); !placed) return placed;
    }
    return {};
  }

  static Result<void> make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return fail("cannot create " + path.string() + ": " + error.message());
    return {};
  }

  Result<void> place_entry(const Json& entry) {
    const auto to = place_below_root(text_of(entry, "to"));
    if (!to) return tl::unexpected(to.error());
    const std::string hash = text_of(entry, "hash");
    if (!proto::is_hash(hash)) return fail("an entry without a hash");
    if (auto made = make_folder(to->parent_path()); !made) return made;
    const fs::path temporary = to->string() + ".placing";
    ::unlink(temporary.c_str());
    const auto own = entry.find("own");
    const bool is_own = own != entry.end() && own->is_boolean() && own->get<bool>();
    const auto mode = static_cast<unsigned>(number_of(entry, "mode"));
    if (auto made = is_own ? copy(store_ / hash, temporary, mode) : share(hash, mode, temporary); !made) return made;
    if (std::rename(temporary.c_str(), to->c_str()) != 0) return fail(describe_errno("cannot write " + to->string()));
    // Two names of one file: rename() leaves both.
    ::unlink(temporary.c_str());
    return {};
  }

  /// What nobody is to write needs no second copy on disk, but for those of the modes "read" and "read and run".
  Result<void> share(const std::string& hash, unsigned mode, const fs::path& to) const {
    fs::path stored = store_ / hash;
    if ((mode & S_IXUSR) != 0) {
      stored += ".run";
      if (auto kept = keep_runnable(store_ / hash, stored); !kept) return kept;
    }
    return ::link(stored.c_str(), to.c_str()) == 0 ? Result<void>() : copy(stored, to, mode);
  }

  static Result<void> keep_runnable(const fs::path& stored, const fs::path& runnable) {
    std::error_code ignored;
    if (fs::exists(runnable, ignored)) return {};
    const fs::path temporary = runnable.string() + ".unchecked";
    ::unlink(temporary.c_str());
    if (auto copied = copy(stored, temporary, 0555); !copied) return copied;
    if (std::rename(temporary.c_str(), runnable.c_str()) != 0) {
      return fail(describe_errno("cannot write " + runnable.string()));
    }
    return {};
  }

  /// Sharing the blocks where the file system can.
  static Result<void> copy(const fs::path& from, const fs::path& to, unsigned mode) {
    const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.is_open()) return fail(describe_errno("cannot read " + from.string()));
    const Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target.is_open()) return fail(describe_errno("cannot write " + to.string()));
    if (::ioctl(target.get(), FICLONE, source.get()) != 0) {
      std::vector<char> chunk(copy_bytes);
      for (;;) {
        const ssize_t count = ::read(source.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(describe_errno("cannot read " + from.string()));
        if (count == 0) break;
        for (ssize_t done = 0; done < count;) {
          const ssize_t written = ::write(target.get(), chunk.data() + done, static_cast<std::size_t>(count - done));
          if (written < 0 && errno == EINTR) continue;
          if (written < 0) return fail(describe_errno("cannot write " + to.string()));
          done += written;
        }
      }
    }
    if (::fchmod(target.get(), mode & 0777) != 0) return fail(describe_errno("cannot write " + to.string()));
    return {};
  }

  Result<void> place_link(const Json& link) {
    const auto to = place_below_root(text_of(link, "to"));
    if (!to) return tl::unexpected(to.error());
    const std::string target = text_of(link, "target");
    // Relative to the link's own folder it must stay below the root too.
    const std::string reached = (to->parent_path() / target).lexically_normal().string();
    if (target.empty() || target.front() == '/') return fail("a link with the target \"" + target + "\"");
    if (const auto inside = place_below_root(reached); !inside) return tl::unexpected(inside.error());
    if (auto made = make_folder(to->parent_path()); !made) return made;
    ::unlink(to->c_str());
    if (::symlink(target.c_str(), to->c_str()) != 0) return fail(describe_errno("cannot link " + to->string()));
    return {};
  }

  // ---- giving back ----

  Result<void> fetch(const Json& message) {
    const auto folder = place_below_root(text_of(message, "folder"));
    if (!folder) return answer(tl::unexpected(folder.error()));
    std::set<std::string> skipped;
    for (const Json& name : list_of(message, "skip")) {
      if (name.is_string()) skipped.insert(name.get<std::string>());
    }
    std::error_code error;
    if (!fs::is_directory(*folder, error)) return answer(fail(folder->string() + " is not there"));
    std::vector<fs::path> files;
    for (auto each = fs::recursive_directory_iterator(*folder, error); !error && each != fs::end(each);
         each.increment(error)) {
      if (each.depth() == 0 && skipped.contains(each->path().filename().string())) {
        each.disable_recursion_pending();
        continue;
      }
      std::error_code ignored;
      if (each->symlink_status(ignored).type() == fs::file_type::regular) files.push_back(each->path());
    }
    if (error) return answer(fail("cannot list " + folder->string() + ": " + error.message()));
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      if (auto sent = send_file(*folder, file); !sent) return sent;
    }
    return stream_.send({{"type", "done"}});
  }

  /// A file that cannot be read any more is left out; it may be a temporary one of a process that is still ending.
  Result<void> send_file(const fs::path& folder, const fs::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const Json header{{"type", "file"},
                      {"path", path.lexically_relative(folder).string()},
                      {"size", size},
                      {"mode", static_cast<unsigned>(status.st_mode & 0777)}};
    if (auto told = stream_.send(header); !told) return told;
    // What was cut short is filled up: the stream goes on, and lathed has what there was.
    if (auto sent = stream_.send_bytes(file.get(), size); !sent && sent.error().message.starts_with("the connection"))
      return sent;
    return {};
  }

  fs::path root_;
  fs::path store_;
  proto::FileStream& stream_;
  std::string trouble_;  ///< of blobs, told at the next "place"
};

}  // namespace

Result<void> serve_files(const fs::path& root, proto::FileStream& stream) {
  std::error_code error;
  fs::create_directories(root / "store", error);
  if (error) return fail("cannot create " + (root / "store").string() + ": " + error.message());
  return FileServer(root, stream).serve();
}

}  // namespace lathe::agent
