#include "analysis/history.hpp"

namespace lathe::manager {

History history_of(const Column& column, const Rows& rows, std::size_t points, std::optional<Goal> goal) {
  Rows measured;
  std::vector<double> values;
  Rows best;
  for (const std::uint32_t row : rows) {
    if (!column.has(row)) continue;
    const double value = column.number(row);
    measured.push_back(row);
    values.push_back(value);
    if (!goal) continue;
    const bool is_better = best.empty() || (*goal == Goal::Maximize ? value > column.number(best.back())
                                                                    : value < column.number(best.back()));
    if (is_better) best.push_back(row);
  }
  History history;
  history.total = measured.size();
  for (const std::size_t place : peaks(values, points)) history.points.push_back(measured[place]);
  history.best = even_rows(best, points);
  return history;
}

}  // namespace lathe::manager
