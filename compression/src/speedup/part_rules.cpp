// Operators that take a part of a tensor, or several.
#include <algorithm>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kPicked = "the operator picks single positions out of these channels";

using Positions = std::vector<std::vector<Label>>;

Positions range(const Positions& positions, std::int64_t begin, std::int64_t end) {
  return {positions.begin() + begin, positions.begin() + std::max(begin, end)};
}

/// A view of part of a parameter: the axis that is cut is not the parameter's any more.
void part_of_parameter(Tracer& tracer, const Call& call, std::int64_t cut, bool removed) {
  const at::Tensor tensor = call.first();
  if (!tracer.is_parameter(tensor)) return;
  std::vector<std::optional<std::int64_t>> axes;
  for (std::int64_t axis = 0; axis < tensor.dim(); ++axis) {
    if (axis == cut && removed) continue;
    const bool whole = axis != cut || (!removed && call.output().size(axis) == tensor.size(axis));
    axes.push_back(whole ? std::optional(axis) : std::nullopt);
  }
  tracer.note_view(tensor, call.output(), axes);
  for (std::int64_t axis = 0; axis < tensor.dim(); ++axis)
    if (axis == cut && tracer.parameter_axis(tensor, axis))
      tracer.pin(tracer.labels_of(*tracer.parameter_axis(tensor, axis), tensor.size(axis)));
}

/// Runs the operator on the numbers of the channels; each output gets what it shows.
void set_parts(Tracer& tracer, const Call& call, const Channels& read) {
  Values inputs = call.inputs;
  inputs.at(0) = numbers_of(read, call.first().sizes());
  const auto numbers = tensors_in(call.rerun(inputs));
  const auto outputs = tensors_in(call.outputs.at(0));
  for (std::size_t i = 0; i < outputs.size(); ++i) tracer.set(outputs[i], channels_at(read, numbers.at(i)), call);
}

/// The bound counted from the front, as slice understands it.
std::int64_t bound(const c10::IValue& value, std::int64_t otherwise, std::int64_t size) {
  if (!value.isInt()) return otherwise;
  const std::int64_t given = value.toInt();
  return std::clamp<std::int64_t>(given < 0 ? given + size : given, 0, size);
}

/// slice: its ends are counts of channels. One that is counted from the back counts those behind it.
void slice(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const std::int64_t axis = wrap_axis(call.argument("dim").toInt(), input.dim());
  const auto read = tracer.channels(input);
  if (!read) return part_of_parameter(tracer, call, axis, false);
  if (read->labels.size(axis) > 1 && call.output().size(axis) != input.size(axis)) {
    if (call.argument("step").toInt() != 1) return tracer.keep(call, input, kPicked);
    const Positions positions = positions_along(*read, axis);
    for (const char* name : {"start", "end"}) {
      const auto given = call.argument(name);
      if (!given.isInt() || given.toInt() > input.size(axis)) continue;
      const std::int64_t place = bound(given, 0, input.size(axis));
      const bool from_back = given.toInt() < 0;
      tracer.count(call, name, std::nullopt,
                   from_back ? range(positions, place, input.size(axis)) : range(positions, 0, place));
    }
  }
  set_parts(tracer, call, *read);
}

void narrow(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const std::int64_t axis = wrap_axis(call.argument("dim").toInt(), input.dim());
  const auto read = tracer.channels(input);
  if (!read) return part_of_parameter(tracer, call, axis, false);
  const auto start = call.argument("start");
  if (read->labels.size(axis) > 1 && call.output().size(axis) != input.size(axis)) {
    if (!start.isInt()) return tracer.keep(call, input, kPicked);
    const Positions positions = positions_along(*read, axis);
    const std::int64_t first = wrap_axis(start.toInt(), input.size(axis));
    tracer.count(call, "start", std::nullopt, range(positions, 0, first));
    tracer.count(call, "length", std::nullopt, range(positions, first, first + call.argument("length").toInt()));
  }
  set_parts(tracer, call, *read);
}

/// One position of an axis, which must be there.
void select(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const std::int64_t axis = wrap_axis(call.argument("dim").toInt(), input.dim());
  const auto read = tracer.channels(input);
  if (!read) return part_of_parameter(tracer, call, axis, true);
  if (read->labels.size(axis) > 1) {
    const Positions positions = positions_along(*read, axis);
    const std::int64_t given = call.argument("index").toInt();
    const std::int64_t index = wrap_axis(given, input.size(axis));
    tracer.trace().present.push_back({tracer.describe(call), range(positions, index, index + 1)});
    tracer.count(call, "index", std::nullopt,
                 given < 0 ? range(positions, index, input.size(axis)) : range(positions, 0, index));
  }
  set_parts(tracer, call, *read);
}

/// The tensor falls apart into every position of an axis.
void unbind(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const std::int64_t axis = wrap_axis(call.argument("dim").toInt(), input.dim());
  if (read->labels.size(axis) > 1)
    tracer.trace().present.push_back({tracer.describe(call), positions_along(*read, axis)});
  set_parts(tracer, call, *read);
}

/// Positions of the axis as they are handed out.
std::vector<Positions> pieces_of(const Call& call, const Positions& positions, std::int64_t axis) {
  std::vector<Positions> pieces;
  std::int64_t begin = 0;
  for (const auto& part : tensors_in(call.outputs.at(0))) {
    pieces.push_back(range(positions, begin, begin + part.size(axis)));
    begin += part.size(axis);
  }
  return pieces;
}

/// Pieces of equal size stay so.
void balance(Tracer& tracer, const Call& call, const std::vector<Positions>& pieces) {
  BalanceRule rule{tracer.describe(call), {}, {}};
  for (const auto& piece : pieces) {
    rule.in.emplace_back();
    for (const auto& position : piece) rule.in.back().push_back(position.front());
  }
  tracer.trace().balances.push_back(std::move(rule));
}

/// split by sizes, split by one size, and chunk.
void split(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const std::int64_t axis = wrap_axis(call.argument("dim").toInt(), input.dim());
  if (read->labels.size(axis) > 1) {
    if (channel_axis(*read) != axis) return tracer.keep(call, input, kPicked);
    const auto pieces = pieces_of(call, positions_along(*read, axis), axis);
    const bool sized = call.argument("split_sizes").isIntList() || call.argument("split_size").isIntList();
    const char* name = call.argument("split_sizes").isIntList() ? "split_sizes" : "split_size";
    for (std::size_t i = 0; sized && i < pieces.size(); ++i) {
      tracer.count(call, name, i, pieces[i]);
      Positions whole(1);
      for (const auto& position : pieces[i]) whole[0].push_back(position.front());
      tracer.trace().present.push_back({tracer.describe(call), whole});
    }
    if (!sized && pieces.size() > 1) {
      if (pieces.back().size() != pieces.front().size()) return tracer.keep(call, input, kPicked);
      balance(tracer, call, pieces);
      tracer.count(call, "split_size", std::nullopt, pieces.front());
    }
  }
  set_parts(tracer, call, *read);
}

/// index and index_select: across other axes the channels come along.
void pick(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  Values inputs = call.inputs;
  inputs.at(0) = numbers_of(*read, input.sizes());
  const Channels made = channels_at(*read, call.rerun(inputs).toTensor());
  std::vector<Label> before = labels_in(read->labels);
  if (labels_in(made.labels) != before) return tracer.keep(call, input, kPicked);
  tracer.set(call.output(), made, call);
}

}  // namespace

const RuleTable& part_rules() {
  static const RuleTable rules{{"slice", slice},   {"narrow", narrow},      {"select", select},
                               {"unbind", unbind}, {"split", split},        {"split_with_sizes", split},
                               {"chunk", split},   {"unsafe_chunk", split}, {"unsafe_split", split},
                               {"index", pick},    {"index_select", pick}};
  return rules;
}

}  // namespace lathe::compression
