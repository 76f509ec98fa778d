#include "hosts/ssh/file_transfer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace lathe::manager {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using proto::fail;
using proto::Result;

namespace {

/// A message's entries stay far below the size of a frame.
constexpr std::size_t kHashesAtOnce = 10'000;

Result<void> expect_done(const Result<Json>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  const std::string type = (*answer)["type"];
  if (type == "done") return {};
  if (type == "failed" && answer->contains("why") && (*answer)["why"].is_string())
    return fail((*answer)["why"].get<std::string>());
  return fail("the agent answered with " + type);
}

Result<void> send_file(proto::FileStream& stream, const std::string& hash, const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    const std::string why = std::strerror(errno);
    if (file >= 0) ::close(file);
    return fail(fmt::format("cannot read {}: {}", path.string(), why));
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  auto sent = stream.send({{"type", "blob"}, {"hash", hash}, {"size", size}});
  if (sent) sent = stream.send_bytes(file, size);
  ::close(file);
  return sent;
}

Result<void> send_text(proto::FileStream& stream, const std::string& hash, const std::string& text) {
  if (auto sent = stream.send({{"type", "blob"}, {"hash", hash}, {"size", text.size()}}); !sent) return sent;
  return stream.send_text(text);
}

Result<std::vector<std::string>> missing_of(proto::FileStream& stream, const Json& hashes) {
  if (auto asked = stream.send({{"type", "store"}, {"hashes", hashes}}); !asked) return tl::unexpected(asked.error());
  const auto answer = stream.receive();
  if (!answer) return tl::unexpected(answer.error());
  std::vector<std::string> missing;
  const auto found = answer->find("hashes");
  if ((*answer)["type"] != "missing" || found == answer->end() || !found->is_array())
    return fail("the agent did not say which files it misses");
  for (const Json& hash : *found) {
    if (hash.is_string()) missing.push_back(hash.get<std::string>());
  }
  return missing;
}

}  // namespace

Result<std::string> HashCache::hash_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0)
    return fail(fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
  const Known now{status.st_size, status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec, status.st_ino, {}};
  const auto known = known_.find(file);
  if (known != known_.end() && known->second.size == now.size && known->second.time_ns == now.time_ns &&
      known->second.inode == now.inode) {
    return known->second.hash;
  }
  auto hash = proto::hash_of_file(file);
  if (hash) {
    known_[file] = now;
    known_[file].hash = *hash;
  }
  return hash;
}

Result<FileTransfer::CodeFolders> FileTransfer::put(const std::vector<TrialInput>& inputs) {
  CodeFolders code_folders;
  std::vector<TrialInput> others;
  for (const TrialInput& input : inputs) {
    if (input.kind != TrialInput::Kind::Code) {
      others.push_back(input);
      continue;
    }
    auto folder = put_code(input);
    if (!folder) return tl::unexpected(folder.error());
    code_folders[input.to] = std::move(*folder);
  }
  auto manifest = manifest_of(others, hashes_);
  if (!manifest) return tl::unexpected(manifest.error());
  std::erase_if(manifest->entries, [this](const ManifestEntry& entry) {
    const auto there = placed_.find(entry.to);
    return there != placed_.end() && there->second == entry;
  });
  if (manifest->entries.empty()) return code_folders;
  if (auto sent = send_missing(*manifest); !sent) return tl::unexpected(sent.error());
  if (auto done = place(manifest->place()); !done) return tl::unexpected(done.error());
  for (ManifestEntry& entry : manifest->entries) placed_[entry.to] = entry;
  return code_folders;
}

/// A folder for each state of the code: one that is being copied for a trial stays what it was, and what was removed
/// from the code is not in the next.
Result<std::string> FileTransfer::put_code(const TrialInput& code) {
  auto manifest = manifest_of({{TrialInput::Kind::Tree, code.from, {}, code.to}}, hashes_);
  if (!manifest) return tl::unexpected(manifest.error());
  const std::string version = manifest->move_below_version(code.to);
  const ManifestEntry whole{code.to + "/" + version, version, 0, false};
  if (const auto there = placed_.find(whole.to); there != placed_.end() && there->second == whole) return whole.to;
  if (auto sent = send_missing(*manifest); !sent) return tl::unexpected(sent.error());
  Json message = manifest->place();
  message["whole"] = whole.to;
  if (auto done = place(message); !done) return tl::unexpected(done.error());
  placed_[whole.to] = whole;
  return whole.to;
}

Result<void> FileTransfer::place(const Json& message) {
  if (auto told = stream_.send(message); !told) return told;
  return expect_done(stream_.receive());
}

Result<void> FileTransfer::send_missing(const Manifest& manifest) {
  std::set<std::string> needed;
  for (const ManifestEntry& entry : manifest.entries) needed.insert(entry.hash);
  for (auto next = needed.begin(); next != needed.end();) {
    Json some = Json::array();
    for (; next != needed.end() && some.size() < kHashesAtOnce; ++next) some.push_back(*next);
    const auto missing = missing_of(stream_, some);
    if (!missing) return tl::unexpected(missing.error());
    for (const std::string& hash : *missing) {
      const auto file = manifest.files.find(hash);
      const auto text = manifest.texts.find(hash);
      if (file == manifest.files.end() && text == manifest.texts.end()) return fail("the agent misses what nobody has");
      const auto sent = file != manifest.files.end() ? send_file(stream_, hash, file->second)
                                                     : send_text(stream_, hash, text->second);
      if (!sent) return sent;
    }
  }
  return {};
}

Result<std::vector<std::string>> FileTransfer::list() {
  if (auto asked = stream_.send({{"type", "list"}}); !asked) return tl::unexpected(asked.error());
  const auto answer = stream_.receive();
  if (!answer) return tl::unexpected(answer.error());
  const auto found = answer->find("folders");
  if ((*answer)["type"] != "listing" || found == answer->end() || !found->is_array())
    return fail("the agent did not say which folders it has");
  std::vector<std::string> folders;
  for (const Json& folder : *found) {
    if (folder.is_string() && proto::stays_below(folder.get<std::string>())) folders.push_back(folder);
  }
  return folders;
}

Result<void> FileTransfer::remove(const std::string& root, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::erase_if(placed_,
                  [prefix = root + "/" + folder + "/"](const auto& entry) { return entry.first.starts_with(prefix); });
  }
  if (auto told = stream_.send({{"type", "remove"}, {"folders", folders}}); !told) return told;
  return expect_done(stream_.receive());
}

Result<void> FileTransfer::prune() {
  if (auto told = stream_.send({{"type", "prune"}}); !told) return told;
  return expect_done(stream_.receive());
}

Result<void> FileTransfer::fetch(const std::string& folder, const fs::path& target,
                                 const std::vector<std::string>& skip) {
  if (auto asked = stream_.send({{"type", "fetch"}, {"folder", folder}, {"skip", skip}}); !asked) return asked;
  std::string trouble;
  for (;;) {
    const auto message = stream_.receive();
    if (!message) return tl::unexpected(message.error());
    if ((*message)["type"] != "file") {
      if (!trouble.empty()) return fail(trouble);
      return expect_done(message);
    }
    const std::string path = message->value("path", "");
    const std::uint64_t size = message->value("size", std::uint64_t{0});
    if (!proto::stays_below(path)) return fail("the agent sent a file with the name \"" + path + "\"");
    const auto received = stream_.receive_file(target / path, size, message->value("mode", 0644U) | 0600U);
    if (!received && received.error().message.starts_with("the connection")) return tl::unexpected(received.error());
    if (!received && trouble.empty()) trouble = received.error().message;
  }
}

}  // namespace lathe::manager
