// Aligned columns of text. Knows widths, not meaning.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "output/style.hpp"

namespace lathe::cli {

enum class Align { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Left;
  bool shrinks = false;  ///< gives way when the line would be wider than the terminal
};

/// One cell. Its text is escaped when the table is drawn: raw server text may be put in.
struct Cell {
  std::string text;
  Style style = Style::Plain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// A row of exactly as many cells as there are columns; missing ones are empty.
  void add(std::vector<Cell> row);
  /// Drops columns (titles and cells) in which no row has any text.
  void drop_empty_columns();
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }

  /// Lines with title, no trailing blanks, each ended by a newline. `max_width` columns at most, as far as the columns
  /// that shrink allow; 0: unlimited.
  [[nodiscard]] std::string draw(const Palette& palette, std::size_t max_width = 0) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(std::size_t max_width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace lathe::cli
