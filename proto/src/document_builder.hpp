// Puts a Document together from the events of a parser and holds it against the limits.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "document.hpp"

namespace lathe::proto {

/// Thrown by DocumentBuilder through the parser that drives it; caught where that parser was started.
class DocumentError : public std::runtime_error {
 public:
  DocumentError(const std::string& message, int line) : std::runtime_error(message), line_(line) {}
  [[nodiscard]] int line() const { return line_; }

 private:
  int line_;
};

/// The driver calls, in the order of the text: begin_object, (key, value)*, end; begin_list, value*, end. A value may
/// carry the id of an anchor (0: none) under which alias() repeats it.
class DocumentBuilder {
 public:
  using Anchor = std::size_t;

  explicit DocumentBuilder(const DocumentLimits& limits) : limits_(limits) {}

  void begin_object(int line, Anchor anchor = 0) { begin(nlohmann::ordered_json::object(), line, anchor); }
  void begin_list(int line, Anchor anchor = 0) { begin(nlohmann::ordered_json::array(), line, anchor); }
  void end();
  void key(std::string name, int line);
  void scalar(nlohmann::ordered_json value, int line, Anchor anchor = 0);
  void alias(Anchor anchor, int line);

  /// True when the next event inside an object must be key().
  [[nodiscard]] bool expects_key() const;
  [[nodiscard]] Document take() { return std::move(document_); }

 private:
  struct Node {
    nlohmann::ordered_json json;
    Origin origin;
    std::size_t nodes = 1;   ///< itself and everything below
    std::size_t bytes = 0;   ///< of the keys and texts in it
    std::size_t height = 0;  ///< levels of lists and objects, its own included
  };
  struct Open {
    Node node;
    Anchor anchor = 0;
    std::optional<std::string> key;               ///< waits for its value
    std::unordered_map<std::string, int> keys{};  ///< of an object, with their lines
  };

  void begin(nlohmann::ordered_json empty, int line, Anchor anchor);
  void close(Node node, Anchor anchor);
  void count(std::size_t nodes, std::size_t bytes, int line);
  void check_depth(std::size_t depth, int line) const;

  DocumentLimits limits_;
  Document document_;
  std::vector<Open> open_;
  std::unordered_map<Anchor, Node> anchors_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace lathe::proto
