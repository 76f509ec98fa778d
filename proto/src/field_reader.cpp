#include "field_reader.hpp"

namespace lathe::proto {

std::string FieldReader::text(const char* name) {
  const Json* field = find(name);
  if (field == nullptr) return {};
  if (field->is_string()) return field->get<std::string>();
  return mistyped(name, *field, "a string"), std::string();
}

bool FieldReader::boolean(const char* name) {
  const Json* field = find(name);
  if (field == nullptr) return false;
  if (field->is_boolean()) return field->get<bool>();
  return mistyped(name, *field, "true or false"), false;
}

std::int64_t FieldReader::integer(const char* name, std::int64_t low, std::int64_t high) {
  const Json* field = find(name);
  return field == nullptr ? 0 : checked_integer(name, *field, low, high);
}

std::optional<std::int64_t> FieldReader::optional_integer(const char* name, std::int64_t low, std::int64_t high) {
  const auto field = object_.find(name);
  if (field == object_.end() || field->is_null()) return std::nullopt;
  return checked_integer(name, *field, low, high);
}

std::map<std::string, std::string> FieldReader::text_map(const char* name) {
  const Json* field = find(name);
  if (field == nullptr) return {};
  if (!field->is_object()) return mistyped(name, *field, "an object"), std::map<std::string, std::string>();
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : field->items()) {
    if (!value.is_string()) return mistyped(std::string(name) + "." + key, value, "a string"), texts;
    texts[key] = value.get<std::string>();
  }
  return texts;
}

std::vector<std::string> FieldReader::text_list(const char* name) {
  const Json* field = find(name);
  if (field == nullptr) return {};
  if (!field->is_array()) return mistyped(name, *field, "an array"), std::vector<std::string>();
  std::vector<std::string> texts;
  for (const Json& value : *field) {
    if (!value.is_string()) return mistyped(name, value, "an array of strings"), texts;
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

double FieldReader::number(const char* name) {
  const Json* field = find(name);
  if (field == nullptr) return 0;
  if (field->is_number()) return field->get<double>();
  return mistyped(name, *field, "a number"), 0;
}

FieldReader::Json FieldReader::any(const char* name) const {
  const auto field = object_.find(name);
  return field == object_.end() ? Json() : *field;
}

const FieldReader::Json* FieldReader::find(const char* name) {
  const auto field = object_.find(name);
  if (field != object_.end()) return &*field;
  report("is missing", name);
  return nullptr;
}

std::int64_t FieldReader::checked_integer(const char* name, const Json& field, std::int64_t low, std::int64_t high) {
  const bool fits = field.is_number_integer() &&
                    (!field.is_number_unsigned() || field.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMost));
  const std::int64_t value = fits ? field.get<std::int64_t>() : 0;
  if (fits && value >= low && value <= high) return value;
  const std::string range = high == kMost ? "of at least " + std::to_string(low)
                                          : "from " + std::to_string(low) + " to " + std::to_string(high);
  mistyped(name, field, "an integer " + range);
  return low;
}

void FieldReader::mistyped(const std::string& name, const Json& found, const std::string& expected) {
  const std::string value = found.is_number() ? found.dump() : "a value of type " + std::string(found.type_name());
  report(value + " was found where " + expected + " is expected", name);
}

void FieldReader::report(std::string message, std::string field) {
  if (!error_) error_ = Error{std::move(message), std::move(field), {}, 0};
}

}  // namespace lathe::proto
