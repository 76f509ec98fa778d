// How files travel between lathed and a host: frames as in frames.hpp, some of which are followed by the bytes of a
// file. Blocking, over a pair of descriptors; each end has a thread or a process of its own for it.
//
//   lathed                                         lathe-agent --files
//   {"type":"store","hashes":[…]}              →
//                                              ←   {"type":"missing","hashes":[…]}
//   {"type":"blob","hash":…,"size":…} + bytes  →   kept under ROOT/store once size and hash are right
//   {"type":"place","entries":[{to,hash,mode,own}…],"folders":[…],"links":[…]}
//                                              →   {"type":"done"} or {"type":"failed","why":…}
//   {"type":"fetch","folder":…,"skip":[…]}     →
//                                              ←   {"type":"file","path":…,"size":…,"mode":…} + bytes, …
//                                              ←   {"type":"done"}
//   {"type":"list"}                            →
//                                              ←   {"type":"listing","folders":["experiments/ID", …]}
//   {"type":"remove","folders":[…]}            →   {"type":"done"} or {"type":"failed","why":…}
//   {"type":"prune"}                           →   {"type":"done"}
//
// A `place` with `whole`, a folder, puts everything below that folder, which appears when it is complete and is never
// changed any more: one that is there already is left alone. `list` names, relative to ROOT, the folders that somebody
// may want to be gone: of experiments, of their trials and preparations, and of programs. `remove` moves such folders
// away at once; they are deleted while nothing else is asked for. `prune` removes what is idle: files of the store that
// are laid out nowhere, agents that nobody runs.
//
// A hash is SHA-256 in hexadecimal. What is in the store is sent once, whoever needs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// SHA-256 of a file's bytes, 64 hexadecimal digits. Errors name the file.
[[nodiscard]] Result<std::string> hash_of_file(const std::filesystem::path& file);
[[nodiscard]] std::string hash_of_text(std::string_view text);

/// True for 64 lower-case hexadecimal digits: only such a text may become the name of a file in a store.
[[nodiscard]] bool is_hash(std::string_view text);

/// True for a path that stays below the folder it is appended to: relative, without `..`, empty parts or NUL.
[[nodiscard]] bool stays_below(std::string_view relative);

class FileStream {
 public:
  /// Does not own the descriptors.
  FileStream(int input, int output) : input_(input), output_(output) {}

  [[nodiscard]] Result<void> send(const nlohmann::ordered_json& message);
  /// The next message, an object with a `type`. An error when the stream ends before it.
  [[nodiscard]] Result<nlohmann::ordered_json> receive();
  /// True when the stream has ended between two messages.
  [[nodiscard]] bool at_end() const { return at_end_; }
  /// True when receive() would not wait.
  [[nodiscard]] bool has_input() const;

  /// Exactly `size` bytes of an open file, from its beginning. A file that is shorter by now is filled with zeros, so
  /// that the stream stays whole; the error says so.
  [[nodiscard]] Result<void> send_bytes(int file, std::uint64_t size);
  [[nodiscard]] Result<void> send_text(std::string_view bytes);

  /// Takes `size` bytes into a new file that appears under its name when it is whole, with the hash that it has.
  /// What it cannot write it still takes from the stream, so that the stream stays whole.
  [[nodiscard]] Result<std::string> receive_file(const std::filesystem::path& file, std::uint64_t size, unsigned mode);

 private:
  [[nodiscard]] Result<void> write_all(const char* data, std::size_t size);
  [[nodiscard]] Result<std::size_t> read_some(char* data, std::size_t size);
  [[nodiscard]] Result<void> read_exactly(char* data, std::size_t size);

  int input_;
  int output_;
  bool at_end_ = false;
};

}  // namespace lathe::proto
