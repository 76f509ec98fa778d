// Padding of convolutions and pools: ONNX has a size for each side, or a name.
#pragma once

#include <string>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {

struct Pads {
  Ints begin;
  Ints end;

  [[nodiscard]] bool is_even() const { return begin == end; }
  /// What PyTorch's operator pads itself: all of it, or nothing where the sides differ.
  [[nodiscard]] Ints inside() const { return is_even() ? begin : Ints(begin.size(), 0); }
  /// The other way: what is to be cut off, where the sides differ.
  [[nodiscard]] Pads negative() const;
};

/// Throws Malformed: `auto_pad` of an input whose size cannot be told, negative pads.
[[nodiscard]] Pads pads_of(NodeCall& call, const Ints& kernel, const Ints& strides, const Ints& dilations);

/// Of a transposed convolution, where `auto_pad` cuts the output to the input times the stride.
[[nodiscard]] Pads transposed_pads(NodeCall& call, const Ints& kernel, const Ints& strides, const Ints& dilations);

/// `code`, padded outside of the operator where its sides differ.
[[nodiscard]] std::string padded(const std::string& code, const Pads& pads, const std::string& value);

}  // namespace lathe::compression::onnx_in
