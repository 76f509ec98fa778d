#include "speedup/plan.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

class Planner {
 public:
  explicit Planner(const ChannelTrace& trace) : trace_(trace) {}

  Result<Plan> run() {
    find_unread();
    find_unfoldable();
    if (auto fine = check_understood(); !fine) return tl::unexpected(fine.error());
    if (auto fine = cut_axes(); !fine) return tl::unexpected(fine.error());
    for (const auto& consumer : trace_.consumers) add_fold(consumer);
    for (const auto& literal : trace_.literals) {
      const auto left =
          std::count_if(literal.labels.begin(), literal.labels.end(), [&](Label label) { return !goes(label); });
      plan_.literals.push_back({literal.node, literal.input, literal.element, left});
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool goes(Label label) const { return going_.contains(trace_.labels.group(label)); }

  /// Channels that are read somewhere, and everywhere add nothing but a constant.
  void find_unread() {
    std::set<Label> needed;
    for (const auto& consumer : trace_.consumers)
      for (std::size_t i = 0; i < consumer.labels.size(); ++i)
        (consumer.removable[i] ? going_ : needed).insert(trace_.labels.group(consumer.labels[i]));
    for (const Label label : needed) going_.erase(label);
  }

  /// A channel whose constant has nowhere to go stays.
  void find_unfoldable() {
    for (const auto& consumer : trace_.consumers) {
      std::set<Label> stay;
      const std::string obstacle = fold_obstacle(consumer);
      for (std::size_t i = 0; i < consumer.labels.size(); ++i) {
        if (!consumer.understood || !goes(consumer.labels[i])) continue;
        const bool nothing_to_fold = consumer.foldable[i] && consumer.constant[i] == 0;
        if (!nothing_to_fold && (!consumer.foldable[i] || !obstacle.empty()))
          stay.insert(trace_.labels.group(consumer.labels[i]));
      }
      if (!stay.empty())
        plan_.left.push_back({consumer.place, static_cast<std::int64_t>(stay.size()),
                              obstacle.empty() ? "the channel is a constant other than zero, and padding makes what it "
                                                 "adds differ from place to place"
                                               : obstacle});
      for (const Label label : stay) going_.erase(label);
    }
  }

  /// Why the consumer cannot take constants at all; empty: it can.
  [[nodiscard]] std::string fold_obstacle(const Consumer& consumer) const {
    if (!consumer.mixing) return "the channel is a constant other than zero";
    const auto& mixing = *consumer.mixing;
    const auto& target = mixing.bias.empty() ? mixing.batch_mean : mixing.bias;
    if (target.empty()) return "the channel is a constant other than zero, and the layer has no bias to fold it into";
    if (trace_.uses.at(target) > 1)
      return "the channel is a constant other than zero, and the layer is used more than once";
    return {};
  }

  [[nodiscard]] Result<void> check_understood() const {
    for (const auto& consumer : trace_.consumers)
      if (!consumer.understood &&
          std::any_of(consumer.labels.begin(), consumer.labels.end(), [&](Label label) { return goes(label); }))
        return fail(
            fmt::format("{}: speed-up does not understand how this operator uses channels, and some of those it "
                        "reads are pruned; exclude the layers before it from pruning",
                        consumer.place));
    return {};
  }

  Result<void> cut_axes() {
    for (const auto& [axis, labels] : trace_.parameters) {
      std::vector<std::int64_t> kept;
      for (std::size_t i = 0; i < labels.size(); ++i)
        if (!goes(labels[i])) kept.push_back(static_cast<std::int64_t>(i));
      if (kept.empty())
        return fail(fmt::format("`{}` would have no channel left: everything it depends on is pruned", axis.path));
      if (kept.size() < labels.size()) plan_.kept.emplace(axis, std::move(kept));
    }
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

  const ChannelTrace& trace_;
  std::set<Label> going_;
  Plan plan_;
};

}  // namespace

Result<Plan> make_plan(const ChannelTrace& trace) {
  return Planner(trace).run();
}

}  // namespace lathe::compression
