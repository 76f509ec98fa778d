#include "speedup/patch.hpp"

#include <map>
#include <numeric>
#include <utility>

#include <torch/csrc/jit/ir/constants.h>

namespace lathe::compression {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// An input of a node as it was written.
using Place = std::pair<Node*, std::size_t>;

/// One number at a place, at each time that the code ran.
struct Pair {
  c10::IValue found;
  c10::IValue wanted;
};
using Pairs = std::vector<Pair>;

/// How a number is to be written.
struct Edit {
  enum class Kind { None, Literal, Scale } kind = Kind::None;
  c10::IValue literal;
  std::int64_t factor = 1;
  std::int64_t divisor = 1;
};

bool unchanged(const Pairs& pairs) {
  for (const auto& pair : pairs)
    if (!same_numbers(pair.found, pair.wanted)) return false;
  return true;
}

bool same_literal(const Pairs& pairs) {
  for (const auto& pair : pairs)
    if (!same_numbers(pair.wanted, pairs.front().wanted)) return false;
  return true;
}

/// The one factor that makes of all that was found what is wanted; nothing: there is none.
std::optional<Edit> scaling(const Pairs& pairs) {
  for (const auto& pair : pairs)
    if (!pair.found.isInt() || !pair.wanted.isInt() || pair.found.toInt() <= 0) return std::nullopt;
  const std::int64_t found = pairs.front().found.toInt();
  const std::int64_t wanted = pairs.front().wanted.toInt();
  const std::int64_t common = std::gcd(found, wanted);
  if (wanted <= 0) return std::nullopt;
  Edit edit{Edit::Kind::Scale, pairs.front().wanted, wanted / common, found / common};
  for (const auto& pair : pairs)
    if (pair.found.toInt() * edit.factor / edit.divisor != pair.wanted.toInt()) return std::nullopt;
  return edit;
}

/// Nothing: no one number or factor does for all.
std::optional<Edit> edit_for(const Pairs& pairs, bool is_literal) {
  if (unchanged(pairs)) return Edit{};
  if (!is_literal)
    if (const auto scaled = scaling(pairs)) return scaled;
  if (!same_literal(pairs)) return std::nullopt;
  return Edit{Edit::Kind::Literal, pairs.front().wanted, 1, 1};
}

bool is_constant(const Value* value) {
  return value->node()->kind() == c10::prim::Constant;
}

bool is_list(const Pairs& pairs) {
  return pairs.front().found.isIntList();
}

Pairs element_of(const Pairs& lists, std::size_t index) {
  Pairs elements;
  for (const auto& list : lists)
    elements.push_back({list.found.toIntVector().at(index), list.wanted.toIntVector().at(index)});
  return elements;
}

/// The value of one element of a list when the code says it; nullptr: it is computed elsewhere.
Value* written_element(Value* list, std::size_t index) {
  Node* maker = list->node();
  return maker->kind() == c10::prim::ListConstruct && index < maker->inputs().size() ? maker->inputs()[index] : nullptr;
}

/// Lists have one length at a place, always.
std::optional<std::size_t> common_length(const Pairs& lists) {
  const std::size_t length = lists.front().found.toIntVector().size();
  for (const auto& list : lists)
    if (list.found.toIntVector().size() != length || list.wanted.toIntVector().size() != length) return std::nullopt;
  return length;
}

Value* write(Graph& graph, Value* value, const Edit& edit) {
  if (edit.kind == Edit::Kind::None) return value;
  const bool scalable = value->type()->isSubtypeOf(*c10::IntType::get());
  if (edit.kind == Edit::Kind::Literal || !scalable) return graph.insertConstant(edit.literal);
  if (edit.factor != 1) value = graph.insert(c10::aten::mul, {value, edit.factor});
  if (edit.divisor != 1) value = graph.insert(c10::aten::floordiv, {value, edit.divisor});
  return value;
}

class Patcher {
 public:
  /// False: no edit does for all.
  bool plan(const Place& place, const Pairs& pairs) {
    Value* value = place.first->input(place.second);
    std::vector<Edit> edits;
    if (!is_list(pairs) || is_constant(value)) {
      const auto edit = edit_for(pairs, is_constant(value) || !value->type()->isSubtypeOf(*c10::IntType::get()));
      if (!edit) return false;
      edits.push_back(*edit);
    } else {
      const auto length = common_length(pairs);
      for (std::size_t i = 0; length && i < *length; ++i) {
        const Value* element = written_element(value, i);
        const auto edit = edit_for(element_of(pairs, i), element && is_constant(element));
        if (!edit) return false;
        edits.push_back(*edit);
      }
      if (!length) return false;
    }
    edits_.emplace_back(place, std::move(edits));
    return true;
  }

  void apply() const {
    for (const auto& [place, edits] : edits_) {
      Node* node = place.first;
      Value* value = node->input(place.second);
      torch::jit::WithInsertPoint before(node);
      Graph& graph = *node->owningGraph();
      const bool whole = edits.size() == 1 && (is_constant(value) || !value->type()->cast<c10::ListType>());
      node->replaceInput(place.second, whole ? write(graph, value, edits[0]) : write_list(graph, value, edits));
    }
  }

 private:
  static Value* write_list(Graph& graph, Value* list, const std::vector<Edit>& edits) {
    std::vector<Value*> elements;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      Value* element = written_element(list, i);
      if (!element) element = graph.insert(c10::aten::__getitem__, {list, static_cast<std::int64_t>(i)});
      elements.push_back(write(graph, element, edits[i]));
    }
    return graph.insertNode(graph.createList(c10::IntType::get(), elements))->output();
  }

  std::vector<std::pair<Place, std::vector<Edit>>> edits_;
};

}  // namespace

std::optional<PatchConflict> patch_numbers(const FlatGraph& flat, const ChannelTrace& trace,
                                           const std::vector<SeenNumber>& numbers) {
  std::map<Place, Pairs> places;
  std::map<Place, std::size_t> calls;
  std::vector<Place> order;
  for (const auto& number : numbers) {
    const Origin* written = flat.origin(trace.calls[number.call].node);
    if (!written) continue;
    const Place place{written->node, number.input};
    auto& pairs = places[place];
    if (pairs.empty()) order.push_back(place);
    pairs.push_back({number.found, number.wanted});
    // Of those that disagree, one that counts channels is to blame: these can be kept.
    const bool counts = !trace.calls[number.call].counts.empty();
    if (!calls.contains(place) || (counts && !same_numbers(number.found, number.wanted))) calls[place] = number.call;
  }
  Patcher patcher;
  for (const Place& place : order)
    if (const auto& pairs = places.at(place); !unchanged(pairs) && !patcher.plan(place, pairs))
      return PatchConflict{calls.at(place)};
  patcher.apply();
  return std::nullopt;
}

}  // namespace lathe::compression
