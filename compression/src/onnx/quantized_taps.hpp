// The places of a model where integers come in, and what is written there.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include <lathe/compression/onnx_quantization.hpp>
#include <lathe/compression/quant_folding.hpp>
#include <lathe/compression/result.hpp>

#include "onnx/op_call.hpp"
#include "onnx/probe.hpp"

namespace lathe::compression::onnx_out {

class QuantizedTaps {
 public:
  /// Errors: a layer or a fold that the model has not.
  [[nodiscard]] static Result<QuantizedTaps> create(const torch::jit::Module& model, const FlatGraph& tapped,
                                                    const Program& program, const OnnxQuantization& quantization);

  [[nodiscard]] const TapPlan& plan() const { return plan_; }

  /// Nullptr: the node is no tap, or nothing is quantized there.
  [[nodiscard]] const QuantizedTensor* at(const torch::jit::Node* node) const;
  /// Writes what stands in the place of that tap.
  void write(OpCall& call, const QuantizedTensor& quantized, const at::Tensor& input, const at::Tensor& output);

  /// Nullptr: the module is no batch normalisation that went into a convolution.
  [[nodiscard]] const FoldablePair* folded_batch_norm(const std::string& module) const;
  /// The bias of the convolution with its batch normalisation in it.
  [[nodiscard]] at::Tensor folded_bias(const FoldablePair& pair) const;

 private:
  using Site = std::pair<std::string, TapPlace>;

  [[nodiscard]] Result<void> find_folds(const torch::jit::Module& model, const OnnxQuantization& quantization);
  void find_nodes(const FlatGraph& tapped, const torch::jit::Block* block,
                  const std::map<Site, const QuantizedTensor*>& wanted);
  std::string weight(OpCall& call, const QuantizedTensor& quantized, const at::Tensor& input);

  TapPlan plan_;
  std::unordered_map<const torch::jit::Node*, QuantizedTensor> at_;
  std::map<std::string, FoldablePair> by_convolution_;
  std::map<std::string, FoldablePair> by_batch_norm_;
  std::map<std::string, at::Tensor> biases_;    ///< of folded convolutions; undefined: none
  std::map<std::string, std::string> weights_;  ///< written already
};

}  // namespace lathe::compression::onnx_out
