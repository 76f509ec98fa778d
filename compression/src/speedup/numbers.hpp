// Numbers in the program that channels depend on: once channels are gone, what every call was given and what it should
// have been given.
#pragma once

#include <vector>

#include "speedup/channel_trace.hpp"
#include "speedup/plan.hpp"
#include "speedup/shape_run.hpp"

namespace lathe::compression {

/// Whether the arguments of such a node are watched: operators that give tensors, prim::If and prim::Loop.
[[nodiscard]] bool is_watched(const torch::jit::Node* node);

/// The inputs of a watched node that are numbers, truth values or lists of numbers; None in place of others. Lists are
/// copied, since the program may go on to change them.
[[nodiscard]] Values numbers_of_call(const torch::jit::Node* node, const Values& inputs);

/// An argument of one call of the smaller model.
struct SeenNumber {
  std::size_t call = 0;  ///< index in the trace
  std::size_t input = 0;
  c10::IValue found;   ///< what the program gives
  c10::IValue wanted;  ///< a count of channels, or what the masked model gave
};

/// Runs `flat`, whose parameters have been cut, on the input of the trace, and tells all arguments, those that are as
/// wanted included. With `shapes` nothing is computed. Throws std::runtime_error when the program takes another way
/// than in the trace or shapes do not tell it, and what the operators throw.
[[nodiscard]] std::vector<SeenNumber> watch_numbers(const FlatGraph& flat, const ChannelTrace& trace, const Plan& plan,
                                                    const at::Tensor& input, const ShapeRun* shapes);

/// Whether two numbers, truth values or lists are the same; floating point up to rounding.
[[nodiscard]] bool same_numbers(const c10::IValue& a, const c10::IValue& b);

}  // namespace lathe::compression
