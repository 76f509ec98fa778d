#include <lathe/compression/dependency_groups.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <lathe/compression/model.hpp>

#include "speedup/traced_model.hpp"

namespace lathe::compression {
namespace {

/// One side of one parameter and the channel groups on it.
struct Side {
  std::string path;
  LayerSide side = LayerSide::Output;
  std::vector<Label> groups;  ///< one a position
};

class Grouping {
 public:
  Grouping(const torch::jit::Module& model, const ChannelTrace& trace) : trace_(trace) {
    for (const auto& layer : modules_of(model)) types_[layer.name] = layer.type;
  }

  std::vector<DependencyGroup> run() {
    collect_sides();
    std::map<Label, std::vector<std::size_t>> parts;
    for (std::size_t i = 0; i < sides_.size(); ++i) parts[joined_.group(first_label(i))].push_back(i);
    std::vector<DependencyGroup> groups;
    for (const auto& [root, members] : parts)
      if (auto group = make_group(members)) groups.push_back(std::move(*group));
    std::sort(groups.begin(), groups.end(),
              [](const auto& a, const auto& b) { return a.members.front().layer < b.members.front().layer; });
    return groups;
  }

 private:
  void add_side(const std::string& path, LayerSide side, const std::vector<Label>& labels) {
    Side added{path, side, {}};
    for (const Label label : labels) added.groups.push_back(trace_.labels.group(label));
    sides_.push_back(std::move(added));
  }

  void collect_sides() {
    std::set<ParameterAxis> read;
    for (const auto& consumer : trace_.consumers)
      if (consumer.mixing) read.insert(consumer.mixing->in);
    for (const auto& [axis, labels] : trace_.parameters)
      add_side(axis.path, read.contains(axis) ? LayerSide::Input : LayerSide::Output, labels);
    for (const auto& [path, weight] : trace_.grouped) {
      std::vector<Label> columns;
      for (const auto& block : weight.columns) columns.insert(columns.end(), block.begin(), block.end());
      add_side(path, read.contains({path, 1}) ? LayerSide::Input : LayerSide::Output, columns);
    }
    (void)joined_.fresh(trace_.labels.size());
    for (const auto& side : sides_) joined_.unite_all(side.groups);
  }

  [[nodiscard]] Label first_label(std::size_t side) const { return sides_[side].groups.front(); }

  [[nodiscard]] GroupMember member_of(const Side& side) const {
    const auto dot = side.path.rfind('.');
    const std::string owner = dot == std::string::npos ? std::string() : side.path.substr(0, dot);
    const std::string name = dot == std::string::npos ? side.path : side.path.substr(dot + 1);
    const auto type = types_.find(owner);
    const auto size = static_cast<std::int64_t>(side.groups.size());
    const bool is_layer = type != types_.end() && (name == "weight" || name == "bias" || name.starts_with("running_"));
    if (!is_layer) return {side.path, {}, side.side, size};
    return {owner, type->second, side.side, size};
  }

  [[nodiscard]] std::optional<DependencyGroup> make_group(const std::vector<std::size_t>& sides) const {
    DependencyGroup group;
    std::set<Label> channels;
    for (const std::size_t index : sides) {
      const GroupMember member = member_of(sides_[index]);
      channels.insert(sides_[index].groups.begin(), sides_[index].groups.end());
      const bool known = std::any_of(group.members.begin(), group.members.end(), [&](const GroupMember& other) {
        return other.layer == member.layer && other.side == member.side;
      });
      if (!known) group.members.push_back(member);
    }
    std::sort(group.members.begin(), group.members.end(), [](const GroupMember& a, const GroupMember& b) {
      return std::tie(a.side, a.layer) < std::tie(b.side, b.layer);
    });
    if (group.members.front().side != LayerSide::Output) return std::nullopt;
    group.channels = static_cast<std::int64_t>(channels.size());
    std::set<Label> pinned;
    for (const Label label : trace_.pinned)
      if (channels.contains(trace_.labels.group(label))) pinned.insert(trace_.labels.group(label));
    group.fixed = static_cast<std::int64_t>(pinned.size());
    add_holders(group, channels);
    return group;
  }

  void add_holders(DependencyGroup& group, const std::set<Label>& channels) const {
    for (const auto& consumer : trace_.consumers) {
      if (consumer.reason.empty()) continue;
      std::set<Label> held;
      for (const Label label : consumer.labels)
        if (channels.contains(trace_.labels.group(label))) held.insert(trace_.labels.group(label));
      if (held.empty()) continue;
      const bool known = std::any_of(group.holders.begin(), group.holders.end(), [&](const KeptChannels& other) {
        return other.place == consumer.place && other.reason == consumer.reason;
      });
      if (!known) group.holders.push_back({consumer.place, static_cast<std::int64_t>(held.size()), consumer.reason});
    }
  }

  const ChannelTrace& trace_;
  std::map<std::string, std::string> types_;
  std::vector<Side> sides_;
  LabelTable joined_;  ///< channel groups that some side has in common
};

}  // namespace

Result<std::vector<DependencyGroup>> dependency_groups(const torch::jit::Module& model, const at::Tensor& example) {
  const c10::NoGradGuard no_grad;
  try {
    const auto traced = trace_model(model, {}, example);
    if (!traced) return tl::unexpected(traced.error());
    return Grouping(model, traced->trace).run();
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(fmt::format("dependency groups: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression
