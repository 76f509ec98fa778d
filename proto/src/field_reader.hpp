// Reads the fields of a JSON object that a program wrote (frames); for what people write there is reader.hpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// Takes typed fields out of a JSON object and remembers the first one that is missing or mistyped; after an error
/// every further field reads as empty.
class FieldReader {
 public:
  using Json = nlohmann::ordered_json;
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

  explicit FieldReader(const Json& object) : object_(object) {}

  std::string text(const char* name);
  bool boolean(const char* name);
  std::int64_t integer(const char* name, std::int64_t low, std::int64_t high = kMost);
  std::optional<std::int64_t> optional_integer(const char* name, std::int64_t low, std::int64_t high = kMost);
  std::map<std::string, std::string> text_map(const char* name);
  std::vector<std::string> text_list(const char* name);
  double number(const char* name);
  /// Whatever stands there; null when it is missing.
  Json any(const char* name) const;

  /// A list of objects, each read by `read`; the first error inside one names the list, the place and the field.
  template <class T>
  std::vector<T> list(const char* name, T (*read)(FieldReader&)) {
    std::vector<T> items;
    const Json* field = find(name);
    if (field == nullptr) return items;
    if (!field->is_array()) return mistyped(name, *field, "an array"), items;
    for (const Json& element : *field) {
      const std::string place = std::string(name) + "[" + std::to_string(items.size()) + "]";
      if (!element.is_object()) return mistyped(place, element, "an object"), items;
      FieldReader fields(element);
      items.push_back(read(fields));
      if (fields.error_) return report(fields.error_->message, place + "." + fields.error_->field), items;
    }
    return items;
  }

  /// `message` if every field was good.
  template <class Message, class Variant>
  Result<Variant> finish(Message message) {
    if (error_) return tl::unexpected<Error>(*error_);
    return Variant(std::move(message));
  }

 private:
  const Json* find(const char* name);
  std::int64_t checked_integer(const char* name, const Json& field, std::int64_t low, std::int64_t high);
  void mistyped(const std::string& name, const Json& found, const std::string& expected);
  void report(std::string message, std::string field);

  const Json& object_;
  std::optional<Error> error_;
};

}  // namespace lathe::proto
