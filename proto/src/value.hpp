// A JSON value in its place: what the parsers of a config pass around.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "document.hpp"

namespace lathe::proto {

/// The way from the top of a document to a value. A step shares those before it, so going deeper copies nothing.
class Path {
 public:
  Path() = default;
  explicit Path(std::string root);

  [[nodiscard]] Path member(std::string_view name) const;
  [[nodiscard]] Path item(std::size_t index) const;
  /// `searchSpace.prune_method._value[0]`
  [[nodiscard]] std::string to_string() const;

 private:
  struct Step {
    std::shared_ptr<const Step> parent;
    std::string text;
    bool is_item = false;
  };
  std::shared_ptr<const Step> last_;
};

struct Member;

/// A view of a value, its line and its path; the JSON and the origins must outlive it.
class Value {
 public:
  explicit Value(const Document& document) : Value(document.root, &document.origin, Path()) {}
  /// `origin` may be null: lines are unknown then.
  Value(const nlohmann::ordered_json& json, const Origin* origin, Path path);

  [[nodiscard]] const nlohmann::ordered_json& json() const { return *json_; }
  [[nodiscard]] const Origin* origin() const { return origin_; }
  [[nodiscard]] int line() const { return origin_ == nullptr ? 0 : origin_->line; }
  [[nodiscard]] std::string field() const { return path_.to_string(); }
  [[nodiscard]] const Path& path() const { return path_; }

  /// The same value under another name of its field; a value that was moved keeps the name its author gave it.
  [[nodiscard]] Value renamed(const Path& path) const;

  [[nodiscard]] std::vector<Member> members() const;  ///< of an object, in order
  [[nodiscard]] std::vector<Value> items() const;     ///< of a list

 private:
  [[nodiscard]] Value child(const nlohmann::ordered_json& json, std::size_t index, Path path) const;

  const nlohmann::ordered_json* json_;
  const Origin* origin_;
  Path path_;
};

struct Member {
  std::string name;
  Value value;
};

/// A short text of a value for messages: the scalar itself (cut when long), or `an object`, `a list of 3`.
[[nodiscard]] std::string describe(const nlohmann::ordered_json& json);

}  // namespace lathe::proto
