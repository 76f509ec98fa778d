#include "analysis/sampling.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace lathe::manager {
namespace {

constexpr std::size_t best_share = 10;  // one of so many

/// The rows with the lowest and the highest value.
Rows extremes(const Column& column, const Rows& rows) {
  Rows found;
  for (const std::uint32_t row : rows) {
    if (!column.has(row)) continue;
    if (found.empty()) found = {row, row};
    if (column.number(row) < column.number(found[0])) found[0] = row;
    if (column.number(row) > column.number(found[1])) found[1] = row;
  }
  return found;
}

Rows best_rows(const Column* metric, bool maximize, const Rows& rows, std::size_t count) {
  if (metric == nullptr || metric->is_text()) return {};
  Rows best = ordered(metric, maximize, rows, 0, count);
  std::erase_if(best, [&](std::uint32_t row) { return !metric->has(row); });
  return best;
}

}  // namespace

std::vector<std::size_t> even_places(std::size_t size, std::size_t count) {
  count = std::min(size, count);
  std::vector<std::size_t> places(count);
  for (std::size_t i = 0; i < count; ++i) places[i] = count == 1 ? 0 : i * (size - 1) / (count - 1);
  return places;
}

Rows even_rows(const Rows& rows, std::size_t count) {
  Rows some;
  for (const std::size_t place : even_places(rows.size(), count)) some.push_back(rows[place]);
  return some;
}

std::vector<std::size_t> peaks(const std::vector<double>& values, std::size_t count) {
  const std::size_t size = values.size();
  if (size <= count) return even_places(size, size);
  const std::size_t pieces = (std::max<std::size_t>(count, 4) - 2) / 2;
  std::vector<std::size_t> places{0};
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(piece * size / pieces);
    const auto end = values.begin() + static_cast<std::ptrdiff_t>((piece + 1) * size / pieces);
    const auto [low, high] = std::minmax_element(begin, end);
    places.push_back(static_cast<std::size_t>(low - values.begin()));
    places.push_back(static_cast<std::size_t>(high - values.begin()));
  }
  places.push_back(size - 1);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

Rows characteristic_rows(const Rows& rows, std::size_t count, const Column* metric, bool maximize,
                         const std::vector<const Column*>& columns) {
  if (rows.size() <= count) return rows;
  std::set<std::uint32_t> kept;
  const auto keep = [&](const Rows& some) {
    for (const std::uint32_t row : some) {
      if (kept.size() < count) kept.insert(row);
    }
  };
  keep(best_rows(metric, maximize, rows, (count + best_share - 1) / best_share));
  for (const Column* column : columns) {
    if (column != nullptr && !column->is_text()) keep(extremes(*column, rows));
  }
  Rows others;
  for (const std::uint32_t row : rows) {
    if (!kept.contains(row)) others.push_back(row);
  }
  keep(even_rows(others, count - kept.size()));
  return {kept.begin(), kept.end()};
}

}  // namespace lathe::manager
