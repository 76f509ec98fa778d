#include "yaml_document.hpp"

#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "document_builder.hpp"
#include "yaml_scalar.hpp"

namespace lathe::proto {
namespace {

int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

/// The parser's events, handed to the builder as typed JSON.
class EventAdapter : public YAML::EventHandler {
 public:
  explicit EventAdapter(DocumentBuilder& builder) : builder_(builder) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_as_key(mark, "null");
    builder_.scalar(nullptr, line_of(mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_as_key(mark, "an alias");
    builder_.alias(anchor, line_of(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (builder_.expects_key()) {
      builder_.key(text, line_of(mark));
    } else {
      builder_.scalar(typed(mark, tag, text), line_of(mark), anchor);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    refuse_as_key(mark, "a list");
    builder_.begin_list(line_of(mark), anchor);
  }
  void OnSequenceEnd() override { builder_.end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    refuse_as_key(mark, "an object");
    builder_.begin_object(line_of(mark), anchor);
  }
  void OnMapEnd() override { builder_.end(); }

 private:
  void refuse_as_key(const YAML::Mark& mark, std::string_view kind) const {
    if (!builder_.expects_key()) return;
    throw DocumentError(fmt::format("expected a key made of text, found {}", kind), line_of(mark));
  }

  /// yaml-cpp gives `?` for a plain scalar without a tag and `!` for a quoted or block one.
  static nlohmann::ordered_json typed(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    if (tag == "?" || tag.empty()) return core_schema_value(text);
    if (tag == "!") return text;
    if (auto value = tagged_value(tag, text)) return *std::move(value);
    throw DocumentError(fmt::format("\"{}\" cannot be read as {}", text, tag), line_of(mark));
  }

  DocumentBuilder& builder_;
};

/// A tab where YAML counts columns is the commonest slip, and yaml-cpp's words for it are the least clear.
bool starts_with_tab(std::string_view text, int line) {
  for (int current = 1; current < line; ++current) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const std::size_t first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '\t';
}

Error syntax_error(std::string_view text, const YAML::Exception& error) {
  const int line = error.mark.is_null() ? 0 : line_of(error.mark);
  if (line > 0 && starts_with_tab(text, line)) {
    return {"not valid YAML: the line is indented with a tab; expected spaces", {}, {}, line};
  }
  return {"not valid YAML: " + error.msg, {}, {}, line};
}

}  // namespace

Result<Document> parse_yaml(std::string_view text, const DocumentLimits& limits) {
  DocumentBuilder builder(limits);
  EventAdapter events(builder);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(events)) return fail("the text is empty");
    DocumentBuilder ignored(limits);
    EventAdapter second(ignored);
    if (parser.HandleNextDocument(second)) return fail("more than one YAML document (---); expected exactly one");
    return builder.take();
  } catch (const DocumentError& error) {
    return tl::unexpected(Error{error.what(), {}, {}, error.line()});
  } catch (const YAML::Exception& error) {
    return tl::unexpected(syntax_error(text, error));
  }
}

}  // namespace lathe::proto
