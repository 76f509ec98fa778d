#include "hosts/ssh/manifest.hpp"

#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <lathe/proto/file_stream.hpp>

#include "hosts/ssh/file_transfer.hpp"

namespace lathe::manager {

namespace fs = std::filesystem;
using proto::fail;
using proto::Result;

namespace {

constexpr std::size_t kVersionDigits = 16;

/// The lines of a .latheignore.
class IgnoreRules {
 public:
  explicit IgnoreRules(const fs::path& folder) {
    for (const char* name : {".latheignore", ".nniignore"}) {
      std::ifstream file(folder / name);
      for (std::string line; std::getline(file, line);) add(std::move(line));
    }
  }

  [[nodiscard]] bool matches(const std::string& relative, bool is_folder) const {
    const std::string name = fs::path(relative).filename().string();
    return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
      if (rule.only_folders && !is_folder) return false;
      const std::string& text = rule.is_path ? relative : name;
      return ::fnmatch(rule.pattern.c_str(), text.c_str(), FNM_PATHNAME) == 0;
    });
  }

 private:
  struct Rule {
    std::string pattern;
    bool is_path = false;
    bool only_folders = false;
  };

  void add(std::string line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
    if (line.empty() || line.front() == '#') return;
    Rule rule;
    if (line.back() == '/') {
      rule.only_folders = true;
      line.pop_back();
    }
    rule.is_path = line.find('/') != std::string::npos;
    if (line.starts_with('/')) line.erase(0, 1);
    rule.pattern = std::move(line);
    if (!rule.pattern.empty()) rules_.push_back(std::move(rule));
  }

  std::vector<Rule> rules_;
};

class Builder {
 public:
  explicit Builder(HashCache& hashes) : hashes_(hashes) {}

  Result<void> add(const TrialInput& input) {
    switch (input.kind) {
      case TrialInput::Kind::File:
        return add_file(input.from, input.to, /*own=*/false);
      case TrialInput::Kind::Tree:
      case TrialInput::Kind::Code:
        return add_tree(input.from, input.to);
      case TrialInput::Kind::Text:
        add_text(input.text, input.to, 0644);
        return {};
      case TrialInput::Kind::Program:
        return add_program(input.from, input.to);
    }
    return {};
  }

  [[nodiscard]] Manifest take() { return std::move(manifest_); }

 private:
  Result<void> add_file(const fs::path& from, const std::string& to, bool own) {
    struct stat status {};
    if (::stat(from.c_str(), &status) != 0)
      return fail(fmt::format("cannot read {}: {}", from.string(), std::strerror(errno)));
    if (S_ISDIR(status.st_mode)) return add_tree(from, to);
    if (!S_ISREG(status.st_mode)) return fail(fmt::format("{} is no regular file", from.string()));
    const auto hash = hashes_.hash_of(from);
    if (!hash) return tl::unexpected(hash.error());
    manifest_.files[*hash] = from;
    manifest_.entries.push_back({to, *hash, static_cast<unsigned>(status.st_mode & 0777) | 0400U, own});
    return {};
  }

  void add_text(const std::string& text, const std::string& to, unsigned mode) {
    const std::string hash = proto::hash_of_text(text);
    manifest_.texts[hash] = text;
    manifest_.entries.push_back({to, hash, mode, true});
  }

  /// A link may lead to a folder that is being walked through already, and round and round from there.
  Result<void> add_tree(const fs::path& folder, const std::string& to) {
    std::error_code ignored;
    const std::string canonical = fs::weakly_canonical(folder, ignored).string() + "/";
    for (const std::string& above : open_trees_) {
      if (above.starts_with(canonical))
        return fail(fmt::format("{} leads to a folder that it lies in", folder.string()));
    }
    open_trees_.push_back(canonical);
    auto walked = walk_tree(folder, to);
    open_trees_.pop_back();
    return walked;
  }

  Result<void> walk_tree(const fs::path& folder, const std::string& to) {
    const IgnoreRules rules(folder);
    manifest_.folders.push_back(to);
    std::error_code error;
    for (auto each = fs::recursive_directory_iterator(folder, error); !error && each != fs::end(each);
         each.increment(error)) {
      const std::string relative = each->path().lexically_relative(folder).string();
      std::error_code ignored;
      const bool is_folder = each->symlink_status(ignored).type() == fs::file_type::directory;
      if (rules.matches(relative, is_folder)) {
        if (is_folder) each.disable_recursion_pending();
        continue;
      }
      if (auto added = add_node(each->path(), relative, to + "/" + relative); !added) return added;
    }
    if (error) return fail(fmt::format("cannot list {}: {}", folder.string(), error.message()));
    return {};
  }

  /// Sockets, pipes and devices stay behind: no program expects them in a copy.
  Result<void> add_node(const fs::path& path, const std::string& relative, const std::string& to) {
    std::error_code error;
    switch (fs::symlink_status(path, error).type()) {
      case fs::file_type::directory:
        manifest_.folders.push_back(to);
        return {};
      case fs::file_type::regular:
        return add_file(path, to, /*own=*/true);
      case fs::file_type::symlink:
        return add_link(path, relative, to);
      default:
        return {};
    }
  }

  Result<void> add_link(const fs::path& path, const std::string& relative, const std::string& to) {
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) return fail(fmt::format("cannot read {}: {}", path.string(), error.message()));
    const std::string reached = (fs::path(relative).parent_path() / target).lexically_normal().string();
    if (target.is_relative() && proto::stays_below(reached)) {
      manifest_.links.emplace_back(to, target.string());
      return {};
    }
    if (!fs::exists(path, error)) return {};
    return add_file(path, to, /*own=*/true);
  }

  /// The executable, its libraries and loader, and a script of the wanted name that puts them together.
  Result<void> add_program(const fs::path& program, const std::string& to) {
    const std::string folder = fs::path(to).parent_path().string();
    const std::string name = fs::path(to).filename().string();
    auto libraries = libraries_of(program);
    if (!libraries) return tl::unexpected(libraries.error());
    if (auto added = add_file(program, folder + "/bin/" + name, /*own=*/false); !added) return added;
    std::string loader;
    for (const fs::path& library : *libraries) {
      const std::string file = library.filename().string();
      const bool is_loader = file.starts_with("ld-");
      if (is_loader) loader = file;
      // The loader alone is executed, which a link into the store cannot be; the others are read by it.
      if (auto added = add_file(library, folder + "/lib/" + file, /*own=*/is_loader); !added) return added;
    }
    if (loader.empty()) return fail(fmt::format("{} has no loader: it cannot be taken elsewhere", program.string()));
    add_text(fmt::format("#!/bin/sh\nd=$(cd \"$(dirname \"$0\")\" && pwd)\n"
                         "exec \"$d/lib/{}\" --library-path \"$d/lib\" \"$d/bin/{}\" \"$@\"\n",
                         loader, name),
             to, 0755);
    return {};
  }

  /// What the loader would load, asked of itself: the program is not run.
  static Result<std::vector<fs::path>> libraries_of(const fs::path& program) {
    const std::string quoted = "'" + program.string() + "'";
    if (program.string().find('\'') != std::string::npos) return fail("a program with a quote in its path");
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("LD_TRACE_LOADED_OBJECTS=1 " + quoted).c_str(), "re"),
                                                     ::pclose);
    if (!pipe) return fail(fmt::format("cannot ask for the libraries of {}", program.string()));
    std::vector<fs::path> libraries;
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) {
      const std::string text = line.data();
      if (text.find("not found") != std::string::npos) return fail(fmt::format("{} lacks {}", program.string(), text));
      const std::size_t begin = text.find('/');
      const std::size_t end = text.find(" (", begin == std::string::npos ? 0 : begin);
      if (begin != std::string::npos && end != std::string::npos)
        libraries.emplace_back(text.substr(begin, end - begin));
    }
    if (libraries.empty()) return fail(fmt::format("{} is no program with libraries", program.string()));
    return libraries;
  }

  HashCache& hashes_;
  Manifest manifest_;
  std::vector<std::string> open_trees_;  ///< canonical, with a slash at the end
};

}  // namespace

nlohmann::ordered_json Manifest::place() const {
  using Json = nlohmann::ordered_json;
  Json message{{"type", "place"}, {"entries", Json::array()}, {"folders", folders}, {"links", Json::array()}};
  for (const ManifestEntry& entry : entries)
    message["entries"].push_back({{"to", entry.to}, {"hash", entry.hash}, {"mode", entry.mode}, {"own", entry.own}});
  for (const auto& [to, target] : links) message["links"].push_back({{"to", to}, {"target", target}});
  return message;
}

std::string Manifest::move_below_version(const std::string& folder) {
  // The disk lists files in any order.
  std::sort(entries.begin(), entries.end(), [](const ManifestEntry& a, const ManifestEntry& b) { return a.to < b.to; });
  std::sort(folders.begin(), folders.end());
  std::sort(links.begin(), links.end());
  std::string version =
      proto::hash_of_text(place().dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  version.resize(kVersionDigits);
  const auto move = [&](std::string& to) { to.insert(folder.size(), "/" + version); };
  for (ManifestEntry& entry : entries) move(entry.to);
  for (std::string& each : folders) move(each);
  for (auto& [to, target] : links) move(to);
  return version;
}

Result<Manifest> manifest_of(const std::vector<TrialInput>& inputs, HashCache& hashes) {
  Builder builder(hashes);
  for (const TrialInput& input : inputs) {
    if (auto added = builder.add(input); !added) return tl::unexpected(added.error());
  }
  return builder.take();
}

}  // namespace lathe::manager
