// Turns one run of a model into an ONNX graph, node by node as they run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/onnx_quantization.hpp>
#include <lathe/compression/result.hpp>

#include "onnx/op_call.hpp"
#include "onnx/quantized_taps.hpp"

namespace lathe::compression::onnx_out {

struct TraceOptions {
  int opset;
  std::string input_name;
  std::string output_name;
};

class Trace final : public TensorNames {
 public:
  /// `probes` are empty (nothing is dynamic) or those of SizeFit::kProbes; `taps` may be nullptr.
  Trace(const FlatGraph& flat, const std::vector<std::unique_ptr<Probe>>& probes, QuantizedTaps* taps,
        const TraceOptions& options);

  /// Before the run: what it will be given.
  void begin(const at::Tensor& input);
  /// For each node. Throws std::runtime_error when the run is another one than that of the probes.
  void observe(const torch::jit::Node* node, const Values& inputs, const Values& outputs);
  /// After the run. Errors: what has no counterpart in ONNX and is needed, all of it.
  [[nodiscard]] Result<Graph> finish(const c10::IValue& output);

  std::string name_of(const at::Tensor& tensor) override;
  void bind(const at::Tensor& tensor, const std::string& name) override;
  [[nodiscard]] Sizes sizes_of(const at::Tensor& tensor) const override;
  [[nodiscard]] bool is_constant(const at::Tensor& tensor) const override;
  std::string batch() override;
  [[nodiscard]] int opset() const override { return options_.opset; }

 private:
  struct Known {
    std::string name;          ///< empty for a constant that nobody has read yet
    at::Tensor constant;       ///< defined: the same for every input; keeps its memory
    std::int64_t version = 0;  ///< of the constant when it got its name
    std::string path;          ///< of a parameter or buffer
    Sizes sizes;
    const void* storage = nullptr;
    bool stale = false;  ///< changed in place under another tensor's name
  };

  void add_constant(const at::Tensor& tensor, const std::string& path);
  [[nodiscard]] std::vector<const SeenStep*> probes_of(const torch::jit::Node* node);
  void note_sizes(const std::vector<const SeenStep*>& probes, const Values& outputs);
  [[nodiscard]] bool same_everywhere(const torch::jit::Node* node, const std::vector<const SeenStep*>& probes,
                                     const Values& outputs) const;
  void write_down(OpCall& call, const torch::jit::Node* node, const Values& inputs, const Values& outputs);
  bool write_number(OpCall& call, const std::vector<const SeenStep*>& probes, const Values& outputs);
  void write_operator(OpCall& call, const torch::jit::Node* node, const Values& inputs);
  void write_folded(OpCall& call, const FoldablePair& pair);
  void refuse(const torch::jit::Node* node, const std::string& reason, const Values& outputs);
  void outdate_views(const at::Tensor& tensor);

  const FlatGraph& flat_;
  const std::vector<std::unique_ptr<Probe>>& probes_;
  QuantizedTaps* taps_;
  TraceOptions options_;
  GraphBuilder graph_;
  DataFlow flow_;
  TensorMap<Known> known_;
  std::size_t step_ = 0;
  std::string batch_;
  std::vector<std::string> problems_;
};

}  // namespace lathe::compression::onnx_out
