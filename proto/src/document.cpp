#include "document.hpp"

#include <utility>

#include "json_document.hpp"
#include "text_check.hpp"
#include "yaml_document.hpp"

namespace lathe::proto {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

constexpr std::string_view blank = " \t\r\n";

bool looks_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blank);
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

/// An object whose first key is not in double quotes, such as `{key: value}`. What is meant as JSON gets JSON's errors:
/// YAML is too willing to make sense of it.
bool looks_like_flow_yaml(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blank);
  const std::size_t second = first == std::string_view::npos ? first : text.find_first_not_of(blank, first + 1);
  return second != std::string_view::npos && text[first] == '{' && text[second] != '"';
}

}  // namespace

Result<Document> parse_document(std::string_view text, const DocumentLimits& limits) {
  if (auto problem = check_text(text, limits.bytes)) return tl::unexpected(*std::move(problem));
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (!looks_like_json(text)) return parse_yaml(text, limits);

  auto json = parse_json(text, limits);
  if (json.document) return *std::move(json.document);
  if (json.is_syntax_error && looks_like_flow_yaml(text)) {
    if (auto yaml = parse_yaml(text, limits)) return yaml;
  }
  return tl::unexpected(std::move(json.error));
}

void append_member(nlohmann::ordered_json& object, std::string name, nlohmann::ordered_json value) {
  object.get_ref<nlohmann::ordered_json::object_t&>().push_back({std::move(name), std::move(value)});
}

bool is_within_depth(const nlohmann::ordered_json& json, std::size_t depth) {
  std::vector<std::pair<const nlohmann::ordered_json*, std::size_t>> open{{&json, 0}};
  while (!open.empty()) {
    const auto [value, level] = open.back();
    open.pop_back();
    if (!value->is_structured()) continue;
    if (level >= depth) return false;
    for (const auto& child : *value) open.emplace_back(&child, level + 1);
  }
  return true;
}

}  // namespace lathe::proto
