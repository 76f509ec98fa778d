#include "data/npy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostDimensions = 32;  // NumPy's own limit

struct TypeName {
  std::string_view name;
  at::ScalarType type;
};

constexpr std::array kTypes{
    TypeName{"u1", at::kByte}, TypeName{"i1", at::kChar}, TypeName{"i2", at::kShort}, TypeName{"i4", at::kInt},
    TypeName{"i8", at::kLong}, TypeName{"f2", at::kHalf}, TypeName{"f4", at::kFloat}, TypeName{"f8", at::kDouble},
};

/// Where the dictionary stands: after magic, version and the length of the dictionary.
struct Dictionary {
  std::string_view text;
  std::size_t end = 0;
};

Result<Dictionary> find_dictionary(std::string_view file) {
  if (file.substr(0, kMagic.size()) != kMagic) return fail("not a NumPy file: it does not start with \\x93NUMPY");
  if (file.size() < 12) return fail(fmt::format("{} bytes are too few for the header of a NumPy file", file.size()));
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<std::uint8_t>(file[at])}; };
  if (byte(6) < 1 || byte(6) > 3 || byte(7) != 0) {
    return fail(fmt::format("format version {}.{}; expected 1.0, 2.0 or 3.0", byte(6), byte(7)));
  }
  const std::size_t begin = byte(6) == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (begin == 12) length |= byte(10) << 16 | byte(11) << 24;
  if (length > file.size() - begin) {
    return fail(
        fmt::format("a header of {} bytes is announced; the file has {} behind it", length, file.size() - begin));
  }
  return Dictionary{file.substr(begin, length), begin + length};
}

/// A reader of the few forms that Python literals have there.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_spaces();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool take_word(std::string_view word) {
    skip_spaces();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string_view> take_string() {
    skip_spaces();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const auto end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view content = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return content;
  }

  std::optional<std::int64_t> take_size() {
    skip_spaces();
    std::int64_t size = 0;
    const auto [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
    if (code != std::errc() || size < 0) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return size;
  }

  bool at_end() {
    skip_spaces();
    return text_.empty();
  }

 private:
  void skip_spaces() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }

  std::string_view text_;
};

/// `(2, 3)`, `(5,)` or `()`.
std::optional<Shape> take_shape(Literal& literal) {
  Shape shape;
  if (!literal.take('(')) return std::nullopt;
  while (!literal.take(')')) {
    const auto size = literal.take_size();
    if (!size || shape.size() == kMostDimensions) return std::nullopt;
    shape.push_back(*size);
    if (literal.take(',')) continue;
    if (shape.size() < 2 || !literal.take(')')) return std::nullopt;
    return shape;
  }
  return shape;
}

Result<at::ScalarType> type_of(std::string_view descr) {
  const std::string_view name = descr.empty() ? descr : descr.substr(1);
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& row) { return row.name == name; });
  const bool is_byte = name == "u1" || name == "i1";
  const bool order_is_good = !descr.empty() && (descr.front() == '<' || (is_byte && descr.front() == '|'));
  if (found == kTypes.end() || !order_is_good) {
    return fail(fmt::format("values of type '{}'; expected |u1, |i1, <i2, <i4, <i8, <f2, <f4 or <f8", descr));
  }
  return found->type;
}

struct Entries {
  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<Shape> shape;
};

bool take_entry(Literal& literal, Entries& entries) {
  const auto key = literal.take_string();
  if (!key || !literal.take(':')) return false;
  if (*key == "descr" && !entries.descr) {
    entries.descr = literal.take_string();
    return entries.descr.has_value();
  }
  if (*key == "fortran_order" && !entries.fortran_order) {
    entries.fortran_order = literal.take_word("True");
    return *entries.fortran_order || literal.take_word("False");
  }
  if (*key == "shape" && !entries.shape) {
    entries.shape = take_shape(literal);
    return entries.shape.has_value();
  }
  return false;
}

Result<Entries> read_entries(std::string_view text) {
  Literal literal(text);
  Entries entries;
  bool is_good = literal.take('{');
  while (is_good && !literal.take('}')) {
    is_good = take_entry(literal, entries);
    if (is_good && !literal.take(',')) {
      is_good = literal.take('}');
      break;
    }
  }
  if (!is_good || !literal.at_end() || !entries.descr || !entries.fortran_order || !entries.shape) {
    return fail("the header is damaged; expected {'descr': …, 'fortran_order': …, 'shape': …} with plain numbers");
  }
  return entries;
}

/// Nullopt: more than any file has.
std::optional<std::uint64_t> bytes_of(const Shape& shape, std::size_t element) {
  std::uint64_t bytes = element;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace

Result<NpyHeader> read_npy_header(std::span<const std::uint8_t> file) {
  const auto dictionary = find_dictionary({reinterpret_cast<const char*>(file.data()), file.size()});
  if (!dictionary) return tl::unexpected(dictionary.error());
  const auto entries = read_entries(dictionary->text);
  if (!entries) return tl::unexpected(entries.error());
  const auto type = type_of(*entries->descr);
  if (!type) return tl::unexpected(type.error());
  if (*entries->fortran_order && entries->shape->size() > 1) {
    return fail("the values are in Fortran order; save numpy.ascontiguousarray of them");
  }
  const auto announced = bytes_of(*entries->shape, c10::elementSize(*type));
  const std::size_t found = file.size() - dictionary->end;
  if (!announced || *announced != found) {
    return fail(fmt::format("the header announces [{}] of type {}, {} bytes; the file has {} of values",
                            fmt::join(*entries->shape, ", "), *entries->descr,
                            announced ? std::to_string(*announced) : "too many", found));
  }
  return NpyHeader{*type, *entries->shape, dictionary->end};
}

}  // namespace lathe::compression
