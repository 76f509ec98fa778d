// Texts as numbers: a column of texts keeps each different one once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lathe::manager {

class TextDictionary {
 public:
  using Code = std::uint32_t;

  /// The text's number, given on its first appearance: 0, 1, 2, …
  Code intern(std::string_view text);
  [[nodiscard]] std::optional<Code> find(std::string_view text) const;
  [[nodiscard]] const std::string& text(Code code) const { return texts_[code]; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

  /// Memory held, roughly.
  [[nodiscard]] std::size_t bytes() const;

 private:
  [[nodiscard]] std::size_t slot_of(std::string_view text) const;
  void grow();

  std::vector<std::string> texts_;
  /// Open addressing, a power of two, at most half full: code + 1, or 0. A third of the size of an unordered_map.
  std::vector<std::uint32_t> slots_;
};

}  // namespace lathe::manager
