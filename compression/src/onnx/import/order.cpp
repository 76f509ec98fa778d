#include "onnx/import/order.hpp"

#include <queue>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace lathe::compression::onnx_in {
namespace {

/// The node that makes each value.
std::unordered_map<std::string, std::size_t> makers_of(const Graph& graph,
                                                       const std::unordered_set<std::string>& given) {
  std::unordered_map<std::string, std::size_t> makers;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& output : graph.nodes[i].outputs) {
      if (output.empty()) continue;
      if (given.contains(output) || !makers.insert({output, i}).second) {
        throw Malformed(fmt::format("value `{}` is made more than once", output));
      }
    }
  }
  return makers;
}

}  // namespace

void put_in_order(Graph& graph) {
  std::unordered_set<std::string> given(graph.inputs.begin(), graph.inputs.end());
  for (const auto& [name, tensor] : graph.initializers) given.insert(name);
  const auto makers = makers_of(graph, given);
  std::vector<std::vector<std::size_t>> readers(graph.nodes.size());
  std::vector<std::size_t> missing(graph.nodes.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& input : graph.nodes[i].inputs) {
      if (input.empty() || given.contains(input)) continue;
      const auto maker = makers.find(input);
      if (maker == makers.end()) {
        throw Malformed(fmt::format("{} reads `{}`, which nothing makes", graph.nodes[i].text(), input));
      }
      readers[maker->second].push_back(i);
      ++missing[i];
    }
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] == 0) ready.push(i);
  std::vector<Node> ordered;
  while (!ready.empty()) {
    const std::size_t next = ready.top();
    ready.pop();
    for (const std::size_t reader : readers[next])
      if (--missing[reader] == 0) ready.push(reader);
    ordered.push_back(graph.nodes[next]);
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i] > 0) throw Malformed(fmt::format("the graph has a cycle through {}", graph.nodes[i].text()));
  }
  for (const std::string& output : graph.outputs) {
    if (!given.contains(output) && !makers.contains(output)) {
      throw Malformed(fmt::format("output `{}` is made by nothing", output));
    }
  }
  graph.nodes = std::move(ordered);
}

}  // namespace lathe::compression::onnx_in
