#include "document_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace lathe::proto {

bool DocumentBuilder::expects_key() const {
  return !open_.empty() && open_.back().node.json.is_object() && !open_.back().key;
}

void DocumentBuilder::count(std::size_t nodes, std::size_t bytes, int line) {
  nodes_ += nodes;
  bytes_ += bytes;
  if (nodes_ > limits_.nodes) throw DocumentError(fmt::format("too large: more than {} values", limits_.nodes), line);
  if (bytes_ > limits_.bytes)
    throw DocumentError(fmt::format("too large: more than {} bytes of text", limits_.bytes), line);
}

void DocumentBuilder::check_depth(std::size_t depth, int line) const {
  if (depth <= limits_.depth) return;
  throw DocumentError(fmt::format("nested too deep: at most {} levels are read", limits_.depth), line);
}

void DocumentBuilder::begin(nlohmann::ordered_json empty, int line, Anchor anchor) {
  check_depth(open_.size() + 1, line);
  count(1, 0, line);
  open_.push_back(Open{Node{std::move(empty), Origin{line, {}, {}}, 1, 0, 1}, anchor, {}, {}});
}

void DocumentBuilder::end() {
  Open done = std::move(open_.back());
  open_.pop_back();
  close(std::move(done.node), done.anchor);
}

void DocumentBuilder::key(std::string name, int line) {
  if (name.size() > limits_.key_bytes) {
    throw DocumentError(fmt::format("a key of {} bytes; at most {} are allowed", name.size(), limits_.key_bytes), line);
  }
  count(0, name.size(), line);
  Open& object = open_.back();
  object.node.bytes += name.size();
  const auto [known, is_new] = object.keys.emplace(name, line);
  if (!is_new) {
    throw DocumentError(fmt::format("duplicate key \"{}\": already given on line {}", name, known->second), line);
  }
  object.key = std::move(name);
}

void DocumentBuilder::scalar(nlohmann::ordered_json value, int line, Anchor anchor) {
  const std::size_t bytes = value.is_string() ? value.get_ref<const std::string&>().size() : 0;
  count(1, bytes, line);
  close(Node{std::move(value), Origin{line, {}, {}}, 1, bytes, 0}, anchor);
}

void DocumentBuilder::alias(Anchor anchor, int line) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) throw DocumentError("an alias (*) stands inside the value it repeats", line);
  count(found->second.nodes, found->second.bytes, line);
  check_depth(open_.size() + found->second.height, line);
  close(found->second, 0);
}

void DocumentBuilder::close(Node node, Anchor anchor) {
  if (anchor != 0) {
    count(node.nodes, node.bytes, node.origin.line);  // the copy costs as much as the value
    anchors_[anchor] = node;
  }
  if (open_.empty()) {
    document_ = Document{std::move(node.json), std::move(node.origin)};
    return;
  }
  Open& parent = open_.back();
  if (parent.node.json.is_object()) {
    append_member(parent.node.json, *std::move(parent.key), std::move(node.json));
    parent.key.reset();
  } else {
    parent.node.json.push_back(std::move(node.json));
  }
  parent.node.origin.children.push_back(std::move(node.origin));
  parent.node.nodes += node.nodes;
  parent.node.bytes += node.bytes;
  parent.node.height = std::max(parent.node.height, node.height + 1);
}

}  // namespace lathe::proto
