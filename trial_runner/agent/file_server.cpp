#include "file_server.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agent_images.hpp"
#include "descriptor.hpp"
#include "file_layout.hpp"
#include "file_store.hpp"
#include "json_fields.hpp"
#include "system_error.hpp"
#include "trash.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using proto::fail;
using proto::Result;

constexpr std::size_t deletions_at_once = 64;  ///< between two looks for something to do
constexpr std::size_t most_listed = 100'000;   ///< so that a listing fits into a frame; the rest the next time
constexpr std::string_view program_prefix = "lathe-trial-";

/// Names in a folder, sorted; none where it is a link.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::directory) return names;
  for (auto each = fs::directory_iterator(folder, error); !error && each != fs::end(each); each.increment(error))
    names.push_back(each->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

class FileServer {
 public:
  FileServer(const fs::path& root, proto::FileStream& stream)
      : root_(root.lexically_normal()), store_(root_), trash_(root_), layout_(root_, store_, trash_), stream_(stream) {}

  Result<void> serve() {
    if (auto opened = store_.open(); !opened) return opened;
    for (;;) {
      while (!stream_.has_input() && trash_.empty_some(deletions_at_once)) {
      }
      const auto message = stream_.receive();
      if (!message) {
        while (trash_.empty_some(deletions_at_once)) {
        }
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
    if (type == "list") return list();
    if (type == "remove") return answer(remove(message));
    if (type == "prune") return prune();
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
    for (const std::string& hash : texts_of(message, "hashes")) {
      if (!proto::is_hash(hash)) return fail("a hash that is none was asked for");
      if (seen.insert(hash).second && !store_.has(hash)) missing.push_back(hash);
    }
    return stream_.send({{"type", "missing"}, {"hashes", std::move(missing)}});
  }

  Result<void> keep_blob(const Json& message) {
    const std::string hash = text_of(message, "hash");
    if (!proto::is_hash(hash)) return fail("a blob came without a hash");
    const std::uint64_t size = number_of(message, "size");
    // Said at the next "place": until then the sender does not listen.
    if (const auto kept = store_.keep(hash, size, stream_); !kept)
      trouble_ = explain_full_disk(kept.error().message, root_, size);
    return {};
  }

  // ---- laying out ----

  Result<void> place(const Json& message) {
    if (std::string trouble = std::exchange(trouble_, {}); !trouble.empty()) return fail(trouble);
    auto placed = layout_.place(message);
    store_.forget_questions();
    return placed;
  }

  // ---- giving back ----

  Result<void> fetch(const Json& message) {
    const auto folder = layout_.below_root(text_of(message, "folder"));
    if (!folder) return answer(tl::unexpected(folder.error()));
    const std::vector<std::string> names = texts_of(message, "skip");
    const std::set<std::string> skipped(names.begin(), names.end());
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

  // ---- taking away ----

  Result<void> list() {
    Json folders = Json::array();
    const auto add = [&folders](const std::string& folder) {
      if (folders.size() < most_listed) folders.push_back(folder);
    };
    for (const std::string& experiment : names_in(root_ / "experiments")) {
      const std::string folder = "experiments/" + experiment;
      add(folder);
      std::error_code ignored;
      if (fs::exists(fs::symlink_status(root_ / folder / "baseline", ignored))) add(folder + "/baseline");
      for (const std::string& trial : names_in(root_ / folder / "trials")) add(folder + "/trials/" + trial);
    }
    for (const std::string& name : names_in(root_)) {
      if (name.starts_with(program_prefix)) add(name);
    }
    return stream_.send({{"type", "listing"}, {"folders", std::move(folders)}});
  }

  /// Only what `list` could have named.
  static bool may_go(const std::string& folder) {
    if (!proto::stays_below(folder)) return false;
    return folder.starts_with("experiments/") ||
           (folder.starts_with(program_prefix) && folder.find('/') == std::string::npos);
  }

  /// One that cannot go keeps none of the others.
  Result<void> remove(const Json& message) {
    Result<void> outcome;
    for (const std::string& folder : texts_of(message, "folders")) {
      Result<void> taken = fail("\"" + folder + "\" is not to be removed");
      if (may_go(folder)) taken = trash_.take(folder);
      if (!taken && outcome) outcome = std::move(taken);
    }
    return outcome;
  }

  Result<void> prune() {
    store_.prune();
    std::error_code unknown;
    if (const fs::path program = fs::read_symlink("/proc/self/exe", unknown); !unknown) remove_idle_images(program);
    return answer({});
  }

  fs::path root_;
  FileStore store_;
  Trash trash_;
  FileLayout layout_;
  proto::FileStream& stream_;
  std::string trouble_;  ///< of blobs, told at the next "place"
};

}  // namespace

Result<void> serve_files(const fs::path& root, proto::FileStream& stream) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return fail("cannot create " + root.string() + ": " + error.message());
  return FileServer(root, stream).serve();
}

}  // namespace lathe::agent
