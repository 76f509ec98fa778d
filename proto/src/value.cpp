#include "value.hpp"

#include <utility>

#include <fmt/format.h>

namespace lathe::proto {
namespace {

constexpr std::size_t longest_description = 60;

/// At most `longest_description` bytes of `text`, never cutting a UTF-8 sequence.
std::string shortened(std::string text) {
  if (text.size() <= longest_description) return text;
  std::size_t end = longest_description;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

/// In quotes, with line feeds and the like escaped.
std::string one_line(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Path::Path(std::string root) : last_(std::make_shared<Step>(Step{nullptr, std::move(root), false})) {}

Path Path::member(std::string_view name) const {
  Path path;
  path.last_ = std::make_shared<Step>(Step{last_, std::string(name), false});
  return path;
}

Path Path::item(std::size_t index) const {
  Path path;
  path.last_ = std::make_shared<Step>(Step{last_, fmt::format("[{}]", index), true});
  return path;
}

std::string Path::to_string() const {
  std::vector<const Step*> steps;
  for (const Step* step = last_.get(); step != nullptr; step = step->parent.get()) steps.push_back(step);
  std::string text;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (!text.empty() && !(*step)->is_item) text += '.';
    text += (*step)->text;
  }
  return text;
}

Value::Value(const nlohmann::ordered_json& json, const Origin* origin, Path path)
    : json_(&json), origin_(origin), path_(std::move(path)) {
  if (origin_ != nullptr && !origin_->moved_from.empty()) path_ = Path(origin_->moved_from);
}

Value Value::renamed(const Path& path) const {
  return Value(*json_, origin_, path);
}

Value Value::child(const nlohmann::ordered_json& json, std::size_t index, Path path) const {
  const bool has_origin = origin_ != nullptr && index < origin_->children.size();
  return Value(json, has_origin ? &origin_->children[index] : nullptr, std::move(path));
}

std::vector<Member> Value::members() const {
  std::vector<Member> members;
  if (!json_->is_object()) return members;
  members.reserve(json_->size());
  for (const auto& [name, value] : json_->items()) {
    members.push_back({name, child(value, members.size(), path_.member(name))});
  }
  return members;
}

std::vector<Value> Value::items() const {
  std::vector<Value> items;
  if (!json_->is_array()) return items;
  items.reserve(json_->size());
  for (const auto& value : *json_) items.push_back(child(value, items.size(), path_.item(items.size())));
  return items;
}

std::string describe(const nlohmann::ordered_json& json) {
  using Type = nlohmann::ordered_json::value_t;
  switch (json.type()) {
    case Type::object:
      return json.empty() ? "an empty object" : "an object";
    case Type::array:
      return json.empty() ? "an empty list" : fmt::format("a list of {}", json.size());
    case Type::number_float:
      return fmt::format("{}", json.get<double>());  // dump() would write null for what is not finite
    case Type::string:
      return one_line(shortened(json.get<std::string>()));
    default:
      return json.dump();
  }
}

}  // namespace lathe::proto
