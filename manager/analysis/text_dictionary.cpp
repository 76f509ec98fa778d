#include "analysis/text_dictionary.hpp"

#include <functional>

namespace lathe::manager {

/// Where the text is, or would be.
std::size_t TextDictionary::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>()(text) & mask;
  while (slots_[slot] != 0 && texts_[slots_[slot] - 1] != text) slot = (slot + 1) & mask;
  return slot;
}

void TextDictionary::grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
  for (std::size_t code = 0; code < texts_.size(); ++code) {
    slots_[slot_of(texts_[code])] = static_cast<std::uint32_t>(code + 1);
  }
}

TextDictionary::Code TextDictionary::intern(std::string_view text) {
  if ((texts_.size() + 1) * 2 > slots_.size()) grow();
  std::uint32_t& slot = slots_[slot_of(text)];
  if (slot == 0) {
    texts_.emplace_back(text);
    slot = static_cast<std::uint32_t>(texts_.size());
  }
  return slot - 1;
}

std::optional<TextDictionary::Code> TextDictionary::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t slot = slots_[slot_of(text)];
  if (slot == 0) return std::nullopt;
  return slot - 1;
}

std::size_t TextDictionary::bytes() const {
  std::size_t total = texts_.capacity() * sizeof(std::string) + slots_.capacity() * sizeof(std::uint32_t);
  const std::size_t inside = std::string().capacity();
  for (const std::string& text : texts_) {
    if (text.capacity() > inside) total += text.capacity();
  }
  return total;
}

}  // namespace lathe::manager
