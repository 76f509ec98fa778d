#include "analysis/order.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

namespace lathe::manager {
namespace {

constexpr double last = std::numeric_limits<double>::infinity();
/// Where there are more different texts than this, sorting all of them costs more than comparing those of the rows.
constexpr std::size_t most_ranked = 2000;

/// A row and what it is sorted by. Smaller comes first; `tie` is the row's number, negative where the order descends.
template <class Value>
using Key = std::pair<Value, std::int64_t>;

/// Places `first` … `end` - 1 of the keys in their order.
template <class Value, class Less>
Rows page_of(std::vector<Key<Value>> keys, std::size_t first, std::size_t end, Less less) {
  const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(first);
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(end);
  if (begin != keys.end()) std::nth_element(keys.begin(), begin, keys.end(), less);
  std::partial_sort(begin, middle, keys.end(), less);
  Rows page;
  for (auto key = begin; key != middle; ++key) page.push_back(static_cast<std::uint32_t>(std::abs(key->second)));
  return page;
}

/// The place of each text in the order of all of them.
std::vector<double> ranks(const TextDictionary& texts) {
  std::vector<TextDictionary::Code> codes(texts.size());
  std::iota(codes.begin(), codes.end(), 0);
  std::sort(codes.begin(), codes.end(), [&](auto a, auto b) { return texts.text(a) < texts.text(b); });
  std::vector<double> ranks(codes.size());
  for (std::size_t place = 0; place < codes.size(); ++place) ranks[codes[place]] = static_cast<double>(place);
  return ranks;
}

Rows by_number(const Column* column, bool descending, const Rows& rows, std::size_t first, std::size_t end) {
  const bool is_text = column != nullptr && column->is_text();
  const std::vector<double> places = is_text ? ranks(column->texts()) : std::vector<double>();
  std::vector<Key<double>> keys;
  keys.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    double value = column == nullptr ? 0 : last;
    if (column != nullptr && column->has(row)) {
      value = is_text ? places[column->code(row)] : column->number(row);
      if (descending) value = -value;
    }
    keys.emplace_back(value, descending ? -static_cast<std::int64_t>(row) : static_cast<std::int64_t>(row));
  }
  return page_of(std::move(keys), first, end, std::less<>());
}

/// Missing ones have no text at all, which sets them apart from empty texts.
Rows by_text(const Column& column, bool descending, const Rows& rows, std::size_t first, std::size_t end) {
  std::vector<Key<std::string_view>> keys;
  keys.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    const std::string_view text = column.has(row) ? column.texts().text(column.code(row)) : std::string_view();
    keys.emplace_back(text, descending ? -static_cast<std::int64_t>(row) : static_cast<std::int64_t>(row));
  }
  const auto less = [descending](const Key<std::string_view>& a, const Key<std::string_view>& b) {
    const bool a_has = a.first.data() != nullptr;
    const bool b_has = b.first.data() != nullptr;
    if (a_has != b_has) return a_has;
    const int order = a.first.compare(b.first);
    return order != 0 ? (order < 0) != descending : a.second < b.second;
  };
  return page_of(std::move(keys), first, end, less);
}

}  // namespace

Rows all_rows(const TrialTable& table) {
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

Rows ordered(const Column* column, bool descending, const Rows& rows, std::size_t first, std::size_t count) {
  first = std::min(first, rows.size());
  const std::size_t end = first + std::min(count, rows.size() - first);
  if (column != nullptr && column->is_text() && column->texts().size() > most_ranked)
    return by_text(*column, descending, rows, first, end);
  return by_number(column, descending, rows, first, end);
}

}  // namespace lathe::manager
