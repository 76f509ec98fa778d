#include "analysis/filter.hpp"

#include "analysis/filter_node.hpp"

namespace lathe::manager {
namespace {

/// The parser bounds the depth of the tree.
proto::Result<RowMask> mask_of(const FilterNode& node, const TrialTable& table) {
  const bool is_and = node.kind == FilterNode::Kind::And;
  if (!is_and && node.kind != FilterNode::Kind::Or && node.kind != FilterNode::Kind::Not) return term_mask(node, table);
  auto mask = mask_of(node.children.front(), table);
  if (!mask) return mask;
  if (node.kind == FilterNode::Kind::Not) {
    for (unsigned char& row : *mask) row ^= 1;
    return mask;
  }
  for (std::size_t child = 1; child < node.children.size(); ++child) {
    const auto other = mask_of(node.children[child], table);
    if (!other) return other;
    for (std::size_t row = 0; row < mask->size(); ++row) {
      (*mask)[row] = is_and ? (*mask)[row] & (*other)[row] : (*mask)[row] | (*other)[row];
    }
  }
  return mask;
}

}  // namespace

proto::Result<RowMask> Filter::mask(const TrialTable& table) const {
  if (root_ == nullptr) return RowMask(table.rows(), 1);
  return mask_of(*root_, table);
}

proto::Result<Rows> Filter::rows(const TrialTable& table) const {
  if (root_ == nullptr) return all_rows(table);
  const auto meant = mask(table);
  if (!meant) return tl::unexpected(meant.error());
  Rows rows;
  for (std::uint32_t row = 0; row < meant->size(); ++row) {
    if ((*meant)[row] != 0) rows.push_back(row);
  }
  return rows;
}

}  // namespace lathe::manager
