#include "speedup/solve.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

constexpr const char* kUnequal = "groups or pieces of equal size must lose equally many channels";
constexpr const char* kNoBlock = "only whole slices can go where these channels span several axes";
constexpr const char* kPresent = "the operator needs something at each of these positions";

class Solver {
 public:
  Solver(const ChannelTrace& trace, std::int64_t round_to) : trace_(trace), round_to_(round_to) {
    for (std::size_t i = 0; i < trace.labels.size(); ++i) groups_.push_back(trace.labels.group(static_cast<Label>(i)));
    going_.assign(groups_.size(), 0);
  }

  Decision run() {
    find_unread();
    hold_for_readers();
    for (changed_ = true; changed_;) {
      changed_ = false;
      for (const auto& consumer : trace_.consumers) hold_unfoldable(consumer);
      for (const auto& rule : trace_.present) hold_present(rule);
      for (const auto& rule : trace_.products) hold_product(rule);
      for (const auto& rule : trace_.balances) hold_balance(rule);
      if (!changed_) round_axes();
    }
    Decision decision{{}, std::move(left_)};
    for (const Label group : groups_) decision.going.push_back(going_[static_cast<std::size_t>(group)]);
    for (const auto& held : trace_.held) decision.left.push_back({held.place, held.channels, held.reason});
    return decision;
  }

 private:
  [[nodiscard]] char& state(Label label) {
    return going_[static_cast<std::size_t>(groups_[static_cast<std::size_t>(label)])];
  }
  [[nodiscard]] bool goes(Label label) { return state(label) != 0; }

  [[nodiscard]] bool all_go(const std::vector<Label>& labels) {
    return std::all_of(labels.begin(), labels.end(), [&](Label label) { return goes(label); });
  }

  /// Holds those labels that would go, and says so once.
  void hold(const std::vector<Label>& labels, const std::string& place, const std::string& reason) {
    std::int64_t held = 0;
    for (const Label label : labels) {
      if (!goes(label)) continue;
      state(label) = 0;
      ++held;
    }
    if (held == 0) return;
    changed_ = true;
    for (auto& entry : left_)
      if (entry.place == place && entry.reason == reason) {
        entry.channels += held;
        return;
      }
    left_.push_back({place, held, reason});
  }

  /// Channels that are read somewhere, and wherever a layer reads them add nothing but a constant.
  void find_unread() {
    for (const auto& consumer : trace_.consumers)
      for (std::size_t i = 0; i < consumer.labels.size(); ++i)
        if (consumer.removable[i]) state(consumer.labels[i]) = 1;
    for (const auto& consumer : trace_.consumers)
      for (std::size_t i = 0; i < consumer.labels.size(); ++i)
        if (consumer.reason.empty() && !consumer.removable[i]) state(consumer.labels[i]) = 0;
    for (const Label label : trace_.pinned) state(label) = 0;
  }

  void hold_for_readers() {
    for (const auto& consumer : trace_.consumers)
      if (!consumer.reason.empty()) hold(consumer.labels, consumer.place, consumer.reason);
  }

  /// A channel whose constant has nowhere to go stays.
  void hold_unfoldable(const Consumer& consumer) {
    const std::string obstacle = fold_obstacle(consumer);
    std::vector<Label> stay, uneven;
    for (std::size_t i = 0; i < consumer.labels.size(); ++i) {
      if (consumer.foldable[i] && consumer.constant[i] == 0) continue;
      if (!consumer.foldable[i] && obstacle.empty())
        uneven.push_back(consumer.labels[i]);
      else if (!obstacle.empty())
        stay.push_back(consumer.labels[i]);
    }
    hold(stay, consumer.place, obstacle);
    hold(uneven, consumer.place,
         "the channel is a constant other than zero, and padding makes what it adds differ from place to place");
  }

  /// Why the consumer cannot take constants at all; empty: it can.
  [[nodiscard]] std::string fold_obstacle(const Consumer& consumer) const {
    if (!consumer.mixing) return "the channel is a constant other than zero";
    const auto& mixing = *consumer.mixing;
    const auto& target = mixing.bias.empty() ? mixing.batch_mean : mixing.bias;
    if (target.empty()) return "the channel is a constant other than zero, and the layer has no bias to fold it into";
    const auto uses = trace_.uses.find(target);
    if (uses != trace_.uses.end() && uses->second > 1)
      return "the channel is a constant other than zero, and the layer is used more than once";
    return {};
  }

  void hold_present(const PresentRule& rule) {
    for (const auto& position : rule.positions)
      if (all_go(position)) hold(position, rule.place, kPresent);
  }

  /// Slices along each axis in which something stays; all where such slices cross stays.
  void hold_product(const ProductRule& rule) {
    std::vector<std::vector<char>> kept;
    for (const std::int64_t size : rule.sizes) kept.emplace_back(static_cast<std::size_t>(size), 0);
    const auto visit = [&](const auto& at_place) {
      std::vector<std::size_t> place(rule.sizes.size(), 0);
      for (const Label label : rule.labels) {
        at_place(label, place);
        for (std::size_t axis = place.size(); axis-- > 0;) {
          if (++place[axis] < static_cast<std::size_t>(rule.sizes[axis])) break;
          place[axis] = 0;
        }
      }
    };
    visit([&](Label label, const std::vector<std::size_t>& place) {
      if (goes(label)) return;
      for (std::size_t axis = 0; axis < place.size(); ++axis) kept[axis][place[axis]] = 1;
    });
    std::vector<Label> crossed;
    visit([&](Label label, const std::vector<std::size_t>& place) {
      bool stays = true;
      for (std::size_t axis = 0; axis < place.size(); ++axis) stays &= kept[axis][place[axis]] != 0;
      if (stays) crossed.push_back(label);
    });
    hold(crossed, rule.place, kNoBlock);
  }

  /// The fewest that go in any of the blocks are what all of them lose; one may go whole with its other side.
  void hold_balance(const BalanceRule& rule) {
    std::vector<char> dropped(rule.in.size(), 0);
    for (std::size_t i = 0; i < rule.out.size(); ++i) dropped[i] = all_go(rule.in[i]) && all_go(rule.out[i]) ? 1 : 0;
    hold_surplus(rule, rule.in, dropped);
    if (!rule.out.empty()) hold_surplus(rule, rule.out, dropped);
  }

  void hold_surplus(const BalanceRule& rule, const std::vector<std::vector<Label>>& blocks,
                    const std::vector<char>& dropped) {
    std::ptrdiff_t fewest = static_cast<std::ptrdiff_t>(blocks.front().size()) - (rule.out.empty() ? 0 : 1);
    const auto going = [&](const std::vector<Label>& block) {
      return std::count_if(block.begin(), block.end(), [&](Label label) { return goes(label); });
    };
    for (std::size_t i = 0; i < blocks.size(); ++i)
      if (!dropped[i]) fewest = std::min<std::ptrdiff_t>(fewest, going(blocks[i]));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (dropped[i]) continue;
      std::vector<Label> surplus;
      std::ptrdiff_t seen = 0;
      for (const Label label : blocks[i])
        if (goes(label) && ++seen > fewest) surplus.push_back(label);
      hold(surplus, rule.place, kUnequal);
    }
  }

  void round_axes() {
    if (round_to_ <= 1) return;
    for (const auto& axis : trace_.made) {
      const auto& labels = trace_.parameters.at(axis);
      auto kept = std::count_if(labels.begin(), labels.end(), [&](Label label) { return !goes(label); });
      if (kept == 0) continue;  // an error that is told elsewhere
      for (auto label = labels.rbegin(); label != labels.rend() && kept % round_to_ != 0; ++label) {
        if (!goes(*label)) continue;
        hold({*label}, fmt::format("`{}`", axis.path),
             fmt::format("the layer keeps a multiple of {} filters (round_to)", round_to_));
        kept = std::count_if(labels.begin(), labels.end(), [&](Label each) { return !goes(each); });
      }
    }
  }

  const ChannelTrace& trace_;
  std::int64_t round_to_;
  std::vector<Label> groups_;
  std::vector<char> going_;
  std::vector<KeptChannels> left_;
  bool changed_ = false;
};

}  // namespace

Decision solve(const ChannelTrace& trace, std::int64_t round_to) {
  return Solver(trace, round_to).run();
}

}  // namespace lathe::compression
