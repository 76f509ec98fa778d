#include "speedup/pieces.hpp"

#include <algorithm>
#include <map>

#include "graph/schema.hpp"
#include "speedup/solve.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;

/// What would go if pieces need not be equal.
Decision solve_freely(const ChannelTrace& trace) {
  ChannelTrace free = trace;
  std::erase_if(free.balances, [](const BalanceRule& rule) { return rule.pieces != nullptr; });
  return solve(free, /*round_to=*/1);
}

bool loses_equally(const BalanceRule& rule, const Decision& decision) {
  const auto going = [&](const std::vector<Label>& piece) {
    return std::count_if(piece.begin(), piece.end(),
                         [&](Label label) { return decision.going[static_cast<std::size_t>(label)] != 0; });
  };
  return std::all_of(rule.in.begin(), rule.in.end(),
                     [&](const auto& piece) { return going(piece) == going(rule.in.front()); });
}

void write_sizes(Node* node, torch::jit::Value* dim, const BalanceRule& rule) {
  std::vector<std::int64_t> sizes;
  for (const auto& piece : rule.in) sizes.push_back(static_cast<std::int64_t>(piece.size()));
  torch::jit::WithInsertPoint before(node);
  torch::jit::Graph& graph = *node->owningGraph();
  Node* split = graph.create(c10::Symbol::fromQualString("aten::split_with_sizes"),
                             {node->input(0), graph.insertConstant(sizes), dim});
  split->setSourceRange(node->sourceRange());
  split->output()->copyMetadata(node->output());
  split->insertBefore(node);
  node->output()->replaceAllUsesWith(split->output());
  node->destroy();
}

}  // namespace

bool write_piece_sizes(const FlatGraph& flat, const ChannelTrace& trace) {
  std::map<Node*, std::vector<const BalanceRule*>> written;
  for (const auto& rule : trace.balances)
    if (const Origin* origin = rule.pieces ? flat.origin(rule.pieces) : nullptr) written[origin->node].push_back(&rule);
  if (written.empty()) return false;
  const Decision decision = solve_freely(trace);
  bool any = false;
  for (const auto& [node, rules] : written) {
    const auto dim = argument_index(node, "dim");
    if (rules.size() > 1 || !dim || loses_equally(*rules.front(), decision)) continue;
    write_sizes(node, node->input(*dim), *rules.front());
    any = true;
  }
  return any;
}

}  // namespace lathe::compression
