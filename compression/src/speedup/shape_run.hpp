// Runs the smaller model on shapes alone: what an operator would give follows from what it gave in the trace and from
// the channels that go. Nothing is computed, but for what parameters and sizes alone determine.
#pragma once

#include <optional>

#include "graph/program.hpp"
#include "speedup/channel_trace.hpp"
#include "speedup/solve.hpp"

namespace lathe::compression {

/// A tensor of that shape and type without numbers in it.
[[nodiscard]] at::Tensor shape_of(const at::Tensor& tensor);

class ShapeRun {
 public:
  explicit ShapeRun(const Decision& decision) : decision_(decision) {}

  /// What a watched call of an operator gives; nothing: its inputs have numbers in them, or it only moves references to
  /// tensors about, and it is to be run. Throws std::runtime_error when shapes do not tell.
  [[nodiscard]] std::optional<Values> outputs(const SizedCall& call, const Values& inputs) const;

  /// For an operator that is not watched and is to be run: throws std::runtime_error when it would read numbers that
  /// are not there.
  void check(const torch::jit::Node* node, const Values& inputs) const;

 private:
  [[nodiscard]] at::Tensor shape_left(const MadeTensor& made) const;
  /// How many of the positions on that axis keep a channel.
  [[nodiscard]] std::int64_t size_left(const at::Tensor& labels, std::int64_t axis) const;

  const Decision& decision_;
};

}  // namespace lathe::compression
