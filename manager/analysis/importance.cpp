#include "analysis/importance.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "analysis/grid_density.hpp"
#include "analysis/regimes.hpp"

namespace lathe::manager {
namespace {

/// Trials without which a regime says nothing.
constexpr double fewest_in_regime = 2;

/// The trials that count, by row.
struct Sample {
  Rows rows;
  std::vector<bool> is_top;  ///< of the same place in `rows`
  std::size_t top = 0;
};

Sample sample_of(const TrialTable& table, const Column& metric, Goal goal, double top) {
  Sample sample;
  std::vector<double> losses;
  for (const std::uint32_t row : all_rows(table)) {
    if (!metric.has(row)) continue;
    sample.rows.push_back(row);
    losses.push_back(goal == Goal::Maximize ? -metric.number(row) : metric.number(row));
  }
  if (losses.empty()) return sample;
  const auto count = static_cast<std::size_t>(std::ceil(top * static_cast<double>(losses.size())));
  std::vector<double> sorted = losses;
  const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(count, 1, sorted.size()) - 1);
  std::nth_element(sorted.begin(), last, sorted.end());
  for (const double loss : losses) sample.is_top.push_back(loss <= *last);
  sample.top = static_cast<std::size_t>(std::count(sample.is_top.begin(), sample.is_top.end(), true));
  return sample;
}

/// What the text of a number or truth means; see Column::text.
std::optional<double> number_of(const std::string& text) {
  if (text == "true" || text == "false") return text == "true" ? 1.0 : 0.0;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// A condition, ready to be asked for many rows.
class Test {
 public:
  Test(const TrialTable& table, const TextCondition& condition) : column_(table.find(condition.column)) {
    if (column_ == nullptr) return;
    if (column_->is_text()) {
      code_ = column_->texts().find(condition.text);
    } else {
      number_ = number_of(condition.text);
    }
  }

  [[nodiscard]] bool holds(std::size_t row) const {
    if (column_ == nullptr || !column_->has(row)) return false;
    return column_->is_text() ? code_ == column_->code(row) : number_ == column_->number(row);
  }

 private:
  const Column* column_;
  std::optional<Column::Code> code_;
  std::optional<double> number_;
};

std::vector<Test> tests_of(const TrialTable& table, const std::vector<TextCondition>& conditions) {
  std::vector<Test> tests;
  for (const TextCondition& condition : conditions) tests.emplace_back(table, condition);
  return tests;
}

/// Whether the trial went one of the regime's ways.
class Activity {
 public:
  Activity(const TrialTable& table, const Regime& regime) {
    for (const auto& way : regime.ways) ways_.push_back(tests_of(table, way));
  }
  [[nodiscard]] bool holds(std::size_t row) const {
    return std::any_of(ways_.begin(), ways_.end(), [&](const auto& way) {
      return std::all_of(way.begin(), way.end(), [&](const Test& test) { return test.holds(row); });
    });
  }

 private:
  std::vector<std::vector<Test>> ways_;
};

/// The cell of each place of the sample in a regime; none: it does not belong there.
using Cells = std::vector<std::optional<std::size_t>>;

double scaled(double value, bool log) {
  return log ? std::log(std::max(value, std::numeric_limits<double>::min())) : value;
}

Cells ordered_cells(const Column& column, const OrderedGrid& grid, const Activity& activity, const Sample& sample) {
  Cells cells(sample.rows.size());
  const auto belongs = [&](std::uint32_t row) { return column.has(row) && activity.holds(row); };
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const std::uint32_t row : sample.rows) {
    if (grid.low || !belongs(row)) continue;
    low = std::min(low, scaled(column.number(row), grid.log));
    high = std::max(high, scaled(column.number(row), grid.log));
  }
  if (grid.low) low = scaled(*grid.low, grid.log);
  if (grid.high) high = scaled(*grid.high, grid.log);
  if (!(low < high) || grid.cells < 2) return cells;
  const double step = (high - low) / static_cast<double>(grid.cells - 1);
  for (std::size_t place = 0; place < cells.size(); ++place) {
    if (!belongs(sample.rows[place])) continue;
    const double cell = std::ceil((scaled(column.number(sample.rows[place]), grid.log) - low) / step - 0.5);
    cells[place] = static_cast<std::size_t>(std::clamp(cell, 0.0, static_cast<double>(grid.cells - 1)));
  }
  return cells;
}

Cells category_cells(const TrialTable& table, const CategoryGrid& grid, const Activity& activity,
                     const Sample& sample) {
  Cells cells(sample.rows.size());
  const std::vector<Test> options = tests_of(table, grid.options);
  for (std::size_t place = 0; place < cells.size(); ++place) {
    const std::uint32_t row = sample.rows[place];
    const auto taken = std::find_if(options.begin(), options.end(), [&](const Test& test) { return test.holds(row); });
    if (taken != options.end() && activity.holds(row)) cells[place] = static_cast<std::size_t>(taken - options.begin());
  }
  return cells;
}

struct RegimeResult {
  bool was_active = false;
  double share = 0;
};

RegimeResult judge(const TrialTable& table, const Column* column, const Regime& regime, const Sample& sample) {
  const auto* ordered = std::get_if<OrderedGrid>(&regime.grid);
  if (ordered != nullptr && (column == nullptr || column->is_text())) return {};
  const Activity activity(table, regime);
  const Cells cells = ordered != nullptr ? ordered_cells(*column, *ordered, activity, sample)
                                         : category_cells(table, std::get<CategoryGrid>(regime.grid), activity, sample);
  const std::size_t size = ordered != nullptr ? ordered->cells : std::get<CategoryGrid>(regime.grid).options.size();
  std::vector<double> all(size);
  std::vector<double> top(size);
  double all_count = 0;
  double top_count = 0;
  for (std::size_t place = 0; place < cells.size(); ++place) {
    if (!cells[place]) continue;
    ++all[*cells[place]];
    ++all_count;
    if (!sample.is_top[place]) continue;
    ++top[*cells[place]];
    ++top_count;
  }
  if (all_count < fewest_in_regime) return {};
  if (top_count == 0) return {true, 0};
  const double divergence = ordered != nullptr ? pearson_divergence(ordered_density(top), ordered_density(all))
                                               : pearson_divergence(category_density(top), category_density(all));
  const double alpha = top_count / static_cast<double>(sample.top);
  const double beta = all_count / static_cast<double>(sample.rows.size());
  return {true, alpha * alpha / beta * divergence};
}

std::vector<ParameterImportance> shares_of(const TrialTable& table, const proto::SearchSpace& space,
                                           const Sample& sample) {
  std::vector<ParameterImportance> items;
  for (const ParameterRegimes& parameter : regimes_of(space)) {
    ParameterImportance item{parameter.column, 0, 0};
    for (const Regime& regime : parameter.regimes) {
      const RegimeResult result = judge(table, table.find(parameter.column), regime, sample);
      item.importance += result.share;
      item.regimes += result.was_active ? 1 : 0;
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

Importance importance_of(const TrialTable& table, const Column& metric, Goal goal, const proto::SearchSpace& space,
                         double top) {
  const Sample sample = sample_of(table, metric, goal, top);
  Importance result;
  result.trials = sample.rows.size();
  result.top_trials = sample.top;
  if (sample.top < Importance::fewest_top_trials) {
    result.reason = fmt::format("{} of {} measured trials are the best {:g} %; it takes at least {}", sample.top,
                                result.trials, top * 100, Importance::fewest_top_trials);
    return result;
  }
  if (sample.top == result.trials && top < 1) {
    result.reason = "every measured trial is as good as the others";
    return result;
  }
  result.items = shares_of(table, space, sample);
  double total = 0;
  for (const ParameterImportance& item : result.items) total += item.importance;
  for (ParameterImportance& item : result.items) item.importance = total > 0 ? item.importance / total : 0;
  std::sort(result.items.begin(), result.items.end(), [](const auto& a, const auto& b) {
    return a.importance != b.importance ? a.importance > b.importance : a.parameter < b.parameter;
  });
  return result;
}

}  // namespace lathe::manager
