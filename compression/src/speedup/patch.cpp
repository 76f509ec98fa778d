#include "speedup/patch.hpp"

#include <map>
#include <tuple>

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

namespace lathe::compression {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// An edit in the program as written: of the whole input, or of one element of its list.
using Place = std::tuple<Node*, std::size_t, std::optional<std::size_t>>;

class Patcher {
 public:
  explicit Patcher(const FlatGraph& flat) : flat_(flat) {}

  Result<void> add(const NewLiteral& literal) {
    const Value* value = literal.node->input(literal.input);
    if (literal.element && value->node()->kind() == c10::prim::ListConstruct) {
      if (*literal.element >= value->node()->inputs().size()) return {};
      return add_use(value->node(), *literal.element, std::nullopt, literal, value->node()->input(*literal.element));
    }
    return add_use(literal.node, literal.input, literal.element, literal, value);
  }

  void apply() {
    for (const auto& [place, value] : edits_) apply_edit(place, value);
    for (auto& [constant, value] : constants_) replace_constant(constant, value);
  }

 private:
  /// `user` (in the flat graph) reads the literal `constant` as its input `index`.
  Result<void> add_use(const Node* user, std::size_t index, std::optional<std::size_t> element,
                       const NewLiteral& literal, const Value* constant) {
    if (constant->node()->kind() != c10::prim::Constant) return {};
    const Origin* written = flat_.origin(user);
    const Origin* defined = flat_.origin(constant->node());
    if (!written || !defined) return {};
    if (written->node->owningGraph() == defined->node->owningGraph())
      return note(edits_, Place{written->node, index, element}, literal);
    if (constant->uses().size() == 1 && !element) return note(constants_, defined->node, literal);
    if (unchanged(*constant, literal)) return {};
    return fail(
        fmt::format("{}: the number of channels is an argument of a function and used elsewhere too; write it where it "
                    "is used",
                    flat_.describe(literal.node)));
  }

  static bool unchanged(const Value& constant, const NewLiteral& literal) {
    const auto value = torch::jit::toIValue(&constant);
    return value && value->isInt() && value->toInt() == literal.value;
  }

  template <class Map, class Key>
  Result<void> note(Map& edits, const Key& key, const NewLiteral& literal) {
    const auto [entry, added] = edits.emplace(key, literal.value);
    if (added || entry->second == literal.value) return {};
    return fail(
        fmt::format("{}: this code runs for several layers, which would need different numbers of channels ({} and {})",
                    flat_.describe(literal.node), entry->second, literal.value));
  }

  static void apply_edit(const Place& place, std::int64_t value) {
    const auto& [node, index, element] = place;
    c10::IValue changed = value;
    if (element) {
      auto list = torch::jit::toIValue(node->input(index))->toIntVector();
      list.at(*element) = value;
      changed = list;
    }
    torch::jit::WithInsertPoint before(node);
    node->replaceInput(index, node->owningGraph()->insertConstant(changed));
  }

  static void replace_constant(Node* constant, std::int64_t value) {
    torch::jit::WithInsertPoint before(constant);
    constant->output()->replaceAllUsesWith(constant->owningGraph()->insertConstant(value));
  }

  const FlatGraph& flat_;
  std::map<Place, std::int64_t> edits_;
  std::map<Node*, std::int64_t> constants_;
};

}  // namespace

Result<void> apply_literals(const FlatGraph& flat, const Plan& plan) {
  Patcher patcher(flat);
  for (const auto& literal : plan.literals)
    if (auto added = patcher.add(literal); !added) return added;
  patcher.apply();
  return {};
}

}  // namespace lathe::compression
