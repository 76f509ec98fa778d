#include "json_document.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "document_builder.hpp"
#include "text_check.hpp"

namespace lathe::proto {
namespace {

/// Reads a text and tells how far the reader has come, which nlohmann's SAX interface does not.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** consumed) : at_(at), consumed_(consumed) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    if (consumed_ != nullptr) *consumed_ = at_;
    ++at_;
    return *this;
  }
  TrackedIterator operator++(int) {
    TrackedIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const TrackedIterator& a, const TrackedIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** consumed_;
};

/// The parser's events, handed to the builder with their lines.
class SaxAdapter {
 public:
  SaxAdapter(std::string_view text, DocumentBuilder& builder)
      : counted_(text.data()), consumed_(text.data()), builder_(builder) {}

  [[nodiscard]] const char** position() { return &consumed_; }
  [[nodiscard]] const std::string& syntax_error() const { return syntax_error_; }
  [[nodiscard]] std::size_t error_offset() const { return error_offset_; }

  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(std::int64_t value) { return scalar(value); }
  bool number_unsigned(std::uint64_t value) { return scalar(value); }
  bool number_float(double value, const std::string& /*text*/) { return scalar(value); }
  bool string(std::string& value) { return scalar(std::move(value)); }
  bool binary(nlohmann::ordered_json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*elements*/) { return builder_.begin_object(line()), true; }
  bool start_array(std::size_t /*elements*/) { return builder_.begin_list(line()), true; }
  bool end_object() { return builder_.end(), true; }
  bool end_array() { return builder_.end(), true; }
  bool key(std::string& name) { return builder_.key(std::move(name), line()), true; }

  bool parse_error(std::size_t offset, const std::string& /*token*/, const nlohmann::ordered_json::exception& error) {
    syntax_error_ = error.what();
    error_offset_ = offset;
    return false;
  }

 private:
  template <class T>
  bool scalar(T&& value) {
    builder_.scalar(nlohmann::ordered_json(std::forward<T>(value)), line());
    return true;
  }

  /// Line of the last character consumed; a line feed belongs to the line that it ends.
  int line() {
    for (; counted_ < consumed_; ++counted_) {
      if (*counted_ == '\n') ++line_;
    }
    return line_;
  }

  const char* counted_;
  const char* consumed_;
  int line_ = 1;
  DocumentBuilder& builder_;
  std::string syntax_error_;
  std::size_t error_offset_ = 0;
};

/// Offset behind the string that starts at `at`.
std::size_t behind_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

/// Offset behind the comment (`// …`, `# …` or `/* … */`) that starts at `at`; `at` itself when none does.
std::size_t behind_comment(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  const bool is_block = rest.starts_with("/*");
  if (!is_block && !rest.starts_with("//") && !rest.starts_with('#')) return at;
  const std::size_t end = is_block ? text.find("*/", at + 2) : text.find('\n', at);
  if (end == std::string_view::npos) return text.size();
  return is_block ? end + 2 : end;
}

/// Blanks comments, and every comma behind a value that nothing but white space separates from a closing bracket.
/// Offsets and lines stay as they are.
std::string strict_json(std::string_view text) {
  std::string result(text);
  std::size_t comma = std::string::npos;
  bool is_behind_value = false;  // `[,]` stays an error
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t end = behind_comment(text, at); end != at) {
      std::replace_if(
          result.begin() + static_cast<std::ptrdiff_t>(at), result.begin() + static_cast<std::ptrdiff_t>(end),
          [](char c) { return c != '\n'; }, ' ');
      at = end;
      continue;
    }
    const char c = text[at];
    const std::size_t start = at;
    at = c == '"' ? behind_string(text, at) : at + 1;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if ((c == '}' || c == ']') && comma != std::string::npos) result[comma] = ' ';
    comma = c == ',' && is_behind_value ? start : std::string::npos;
    is_behind_value = c != ',' && c != '[' && c != '{' && c != ':';
  }
  return result;
}

/// nlohmann's message without its own name and position: "…parse error at line 1, column 2: syntax error …".
std::string plain_message(const std::string& what) {
  const std::size_t column = what.find("column ");
  const std::size_t start = what.find(": ", column == std::string::npos ? what.find("] ") : column);
  return "not valid JSON: " + (start == std::string::npos ? what : what.substr(start + 2));
}

}  // namespace

JsonOutcome parse_json(std::string_view text, const DocumentLimits& limits) {
  const std::string json = strict_json(text);
  DocumentBuilder builder(limits);
  SaxAdapter sax(json, builder);
  try {
    const TrackedIterator begin(json.data(), sax.position());
    const TrackedIterator end(json.data() + json.size(), nullptr);
    if (nlohmann::ordered_json::sax_parse(begin, end, &sax)) {
      return {builder.take(), {}, false};
    }
  } catch (const DocumentError& error) {
    return {std::nullopt, Error{error.what(), {}, {}, error.line()}, false};
  }
  const std::size_t at = sax.error_offset() == 0 ? 0 : sax.error_offset() - 1;
  return {std::nullopt, Error{plain_message(sax.syntax_error()), {}, {}, line_of(json, at)}, true};
}

}  // namespace lathe::proto
