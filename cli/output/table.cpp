#include "output/table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "output/text.hpp"

namespace lathe::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 8;  ///< a column that shrinks stays at least this wide

std::string draw_cell(const Cell& cell, const Column& column, std::size_t width, const Palette& palette) {
  const std::string text = truncate(cell.text, width);
  const std::string padding(width - std::min(width, display_width(text)), ' ');
  const std::string painted = palette.paint(text, cell.style);
  return column.align == Align::Right ? padding + painted : painted + padding;
}

void append_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row) {
  row.resize(columns_.size());
  for (Cell& cell : row) cell.text = escape(cell.text);
  rows_.push_back(std::move(row));
}

void Table::drop_empty_columns() {
  for (std::size_t i = columns_.size(); i-- > 0;) {
    const bool empty = std::all_of(rows_.begin(), rows_.end(), [i](const auto& row) { return row[i].text.empty(); });
    if (!empty) continue;
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& row : rows_) row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::vector<std::size_t> Table::widths(std::size_t max_width) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
    widths.push_back(width);
  }
  if (max_width == 0 || columns_.empty()) return widths;
  const std::size_t total = std::accumulate(widths.begin(), widths.end(), gap * (columns_.size() - 1));
  std::size_t excess = total > max_width ? total - max_width : 0;
  for (std::size_t i = 0; i < columns_.size() && excess > 0; ++i) {
    if (!columns_[i].shrinks || widths[i] <= narrowest) continue;
    const std::size_t given = std::min(excess, widths[i] - narrowest);
    widths[i] -= given;
    excess -= given;
  }
  return widths;
}

std::string Table::draw(const Palette& palette, std::size_t max_width) const {
  const auto width = widths(max_width);
  std::string out;
  const auto line = [&](const auto& cell_at) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text.append(gap, ' ');
      text += draw_cell(cell_at(i), columns_[i], width[i], palette);
    }
    append_line(out, std::move(text));
  };
  line([&](std::size_t i) { return Cell{columns_[i].title, Style::Bold}; });
  for (const auto& row : rows_) line([&row](std::size_t i) { return row[i]; });
  return out;
}

}  // namespace lathe::cli
