#include "file_layout.hpp"

#include <unistd.h>

#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include <lathe/proto/file_stream.hpp>

#include "json_fields.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using proto::fail;
using proto::Result;

constexpr std::string_view staged_suffix = ".placing";

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail("cannot create " + path.string() + ": " + error.message());
  return {};
}

}  // namespace

FileLayout::FileLayout(fs::path root, FileStore& store, Trash& trash)
    : root_(std::move(root)), store_(store), trash_(trash) {}

Result<fs::path> FileLayout::below_root(const std::string& text) const {
  const std::string prefix = root_.string() + "/";
  if (!text.starts_with(prefix) || !proto::stays_below(std::string_view(text).substr(prefix.size())))
    return fail("\"" + text + "\" does not lie below " + root_.string());
  return fs::path(text);
}

Result<void> FileLayout::place(const Json& message) {
  const auto placed = message.contains("whole") ? place_whole(message) : place_each(message);
  if (!placed) return fail(explain_full_disk(placed.error().message, root_, size_of_copies(message)));
  return placed;
}

/// Beside its place first: a folder of that name is complete.
Result<void> FileLayout::place_whole(const Json& message) {
  const auto whole = below_root(text_of(message, "whole"));
  if (!whole) return tl::unexpected(whole.error());
  std::error_code error;
  if (fs::symlink_status(*whole, error).type() == fs::file_type::directory) return {};
  whole_ = whole->string();
  const std::string staged = whole_ + std::string(staged_suffix);
  auto done = trash_.take(staged.substr(root_.string().size() + 1));
  if (done) done = make_folder(staged);
  if (done) done = place_each(message);
  whole_.clear();
  if (!done) return done;
  fs::rename(staged, *whole, error);
  if (error) return fail("cannot make " + whole->string() + ": " + error.message());
  return {};
}

Result<void> FileLayout::place_each(const Json& message) {
  store_.make_room(size_of_copies(message));
  for (const std::string& folder : texts_of(message, "folders")) {
    const auto path = place_for(folder);
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

/// Where something goes that is to appear at `text`.
Result<fs::path> FileLayout::place_for(const std::string& text) const {
  auto path = below_root(text);
  if (!path || whole_.empty()) return path;
  if (text == whole_) return fs::path(whole_ + std::string(staged_suffix));
  if (!text.starts_with(whole_ + "/")) return fail("\"" + text + "\" does not lie in " + whole_);
  return fs::path(whole_ + std::string(staged_suffix) + text.substr(whole_.size()));
}

std::uint64_t FileLayout::size_of_copies(const Json& message) const {
  std::uint64_t size = 0;
  for (const Json& entry : list_of(message, "entries")) {
    if (const std::string hash = text_of(entry, "hash"); flag_of(entry, "own") && proto::is_hash(hash))
      size += store_.size_of(hash);
  }
  return size;
}

Result<void> FileLayout::place_entry(const Json& entry) {
  const auto to = place_for(text_of(entry, "to"));
  if (!to) return tl::unexpected(to.error());
  const std::string hash = text_of(entry, "hash");
  if (!proto::is_hash(hash)) return fail("an entry without a hash");
  if (auto made = make_folder(to->parent_path()); !made) return made;
  return store_.place({*to, hash, static_cast<unsigned>(number_of(entry, "mode")), flag_of(entry, "own")});
}

Result<void> FileLayout::place_link(const Json& link) {
  const auto to = place_for(text_of(link, "to"));
  if (!to) return tl::unexpected(to.error());
  const std::string target = text_of(link, "target");
  // Relative to the link's own folder it must stay below the root too.
  const std::string reached = (to->parent_path() / target).lexically_normal().string();
  if (target.empty() || target.front() == '/') return fail("a link with the target \"" + target + "\"");
  if (const auto inside = below_root(reached); !inside) return tl::unexpected(inside.error());
  if (auto made = make_folder(to->parent_path()); !made) return made;
  ::unlink(to->c_str());
  if (::symlink(target.c_str(), to->c_str()) != 0) return fail(describe_errno("cannot link " + to->string()));
  return {};
}

}  // namespace lathe::agent
