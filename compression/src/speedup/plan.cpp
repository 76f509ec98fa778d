#include "speedup/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

class Planner {
 public:
  Planner(const ChannelTrace& trace, const Decision& decision) : trace_(trace), decision_(decision) {}

  Result<Plan> run() {
    for (const auto& [axis, labels] : trace_.parameters)
      if (auto fine = cut_axis(axis, labels); !fine) return tl::unexpected(fine.error());
    for (const auto& [path, weight] : trace_.grouped)
      if (auto fine = cut_groups(path, weight); !fine) return tl::unexpected(fine.error());
    for (const auto& consumer : trace_.consumers) add_fold(consumer);
    for (const auto& call : trace_.calls) add_numbers(call);
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool goes(Label label) const { return decision_.going[static_cast<std::size_t>(label)] != 0; }

  [[nodiscard]] std::vector<std::int64_t> staying(const std::vector<Label>& labels) const {
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (!goes(labels[i])) kept.push_back(static_cast<std::int64_t>(i));
    return kept;
  }

  Result<void> cut_axis(const ParameterAxis& axis, const std::vector<Label>& labels) {
    auto kept = staying(labels);
    if (kept.empty())
      return fail(fmt::format("`{}` would have no channel left: everything it depends on is pruned", axis.path));
    if (kept.size() < labels.size() && !trace_.grouped.contains(axis.path)) plan_.kept.emplace(axis, std::move(kept));
    return {};
  }

  Result<void> cut_groups(const std::string& path, const GroupedWeight& weight) {
    GroupedCut cut;
    bool smaller = false;
    for (std::size_t group = 0; group < weight.rows.size(); ++group) {
      cut.rows.push_back(staying(weight.rows[group]));
      cut.columns.push_back(staying(weight.columns[group]));
      smaller |= cut.rows.back().size() < weight.rows[group].size();
      smaller |= cut.columns.back().size() < weight.columns[group].size();
      if (cut.rows.back().empty() != cut.columns.back().empty())
        return fail(fmt::format("`{}`: group {} would have no channel left on one side", path, group));
    }
    if (smaller) plan_.grouped.emplace(path, std::move(cut));
    return {};
  }

  void add_fold(const Consumer& consumer) {
    if (!consumer.mixing) return;
    Fold fold{*consumer.mixing, consumer.constant};
    for (std::size_t i = 0; i < fold.constant.size(); ++i)
      if (!goes(consumer.labels[i])) fold.constant[i] = 0;
    if (std::any_of(fold.constant.begin(), fold.constant.end(), [](double constant) { return constant != 0; }))
      plan_.folds.push_back(std::move(fold));
  }

  void add_numbers(const SizedCall& call) {
    auto& numbers = plan_.numbers.emplace_back();
    for (const auto& count : call.counts) {
      const auto left = std::count_if(count.positions.begin(), count.positions.end(), [&](const auto& position) {
        return std::any_of(position.begin(), position.end(), [&](Label label) { return !goes(label); });
      });
      numbers.push_back({count.input, count.element, static_cast<std::int64_t>(left)});
    }
  }

  const ChannelTrace& trace_;
  const Decision& decision_;
  Plan plan_;
};

}  // namespace

Result<Plan> make_plan(const ChannelTrace& trace, const Decision& decision) {
  return Planner(trace, decision).run();
}

}  // namespace lathe::compression
