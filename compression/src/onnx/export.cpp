#include <lathe/compression/onnx_export.hpp>

#include <exception>
#include <memory>
#include <vector>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "graph/program.hpp"
#include "onnx/probe.hpp"
#include "onnx/serialize.hpp"
#include "onnx/trace.hpp"
#include "training/eval_mode.hpp"

namespace lathe::compression {
namespace {

using onnx_out::Graph;
using onnx_out::Probe;
using onnx_out::QuantizedTaps;

constexpr int kFirstOpset = 13;
constexpr int kLastOpset = 17;

Result<void> check_options(const at::Tensor& example, const OnnxExportOptions& options) {
  if (options.opset < kFirstOpset || options.opset > kLastOpset) {
    return fail(fmt::format("opset is {}; expected {} to {}", options.opset, kFirstOpset, kLastOpset));
  }
  if (!example.defined() || example.dim() == 0 || example.numel() == 0) {
    return fail("the example input has no samples");
  }
  if (options.input_name.empty() || options.output_name.empty() || options.input_name == options.output_name) {
    return fail(fmt::format("input_name is `{}` and output_name is `{}`; expected two different names",
                            options.input_name, options.output_name));
  }
  return {};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// The runs of one model that end in a graph.
class Export {
 public:
  Export(const torch::jit::Module& model, const at::Tensor& example, const OnnxExportOptions& options)
      : model_(model), example_(example), options_(options) {}

  [[nodiscard]] Result<Graph> graph() {
    auto flat = options_.quantization ? FlatGraph::with_taps(model_) : FlatGraph::of(model_);
    if (!flat) return tl::unexpected(flat.error());
    const Program program(*flat);
    if (options_.quantization) {
      auto taps = QuantizedTaps::create(model_, *flat, program, *options_.quantization);
      if (!taps) return tl::unexpected(taps.error());
      taps_ = std::make_unique<QuantizedTaps>(std::move(*taps));
    }
    if (options_.dynamic_batch) probe(program);
    return trace(*flat, program);
  }

 private:
  [[nodiscard]] onnx_out::TapPlan plan() const { return taps_ ? taps_->plan() : onnx_out::TapPlan{}; }

  void probe(const Program& program) {
    for (const std::int64_t batch : onnx_out::SizeFit::kProbes)
      probes_.push_back(std::make_unique<Probe>(program, plan(), example_, batch));
  }

  [[nodiscard]] Result<Graph> trace(const FlatGraph& flat, const Program& program) {
    onnx_out::Trace trace(flat, probes_, taps_.get(), {options_.opset, options_.input_name, options_.output_name});
    const std::int64_t batch = options_.dynamic_batch ? onnx_out::SizeFit::kBatch : example_.size(0);
    const at::Tensor input = onnx_out::batch_of(example_, batch);
    trace.begin(input);
    const c10::IValue output =
        program.run(input, plan().taps, [&](const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
          trace.observe(node, inputs, outputs);
        });
    return trace.finish(output);
  }

  const torch::jit::Module& model_;
  const at::Tensor& example_;
  const OnnxExportOptions& options_;
  std::unique_ptr<QuantizedTaps> taps_;
  std::vector<std::unique_ptr<Probe>> probes_;
};

Result<Graph> graph_of(const torch::jit::Module& model, const at::Tensor& example, const OnnxExportOptions& options) {
  try {
    const c10::NoGradGuard no_grad;
    const EvalMode eval_mode(model);
    return Export(model, example, options).graph();
  } catch (const std::exception& error) {
    const char* hint = options.dynamic_batch ? "; if it takes one batch size only, export without dynamic_batch" : "";
    return fail(fmt::format("the model cannot be run for its export: {}{}", first_line(error.what()), hint));
  }
}

}  // namespace

Result<void> export_onnx(const torch::jit::Module& model, const at::Tensor& example, const std::filesystem::path& file,
                         const OnnxExportOptions& options) {
  if (auto checked = check_options(example, options); !checked) return checked;
  const auto graph = graph_of(model, example, options);
  if (!graph) return tl::unexpected(graph.error());
  if (auto checked = onnx_out::check_graph(*graph, options.opset); !checked) return checked;
  const bool external = onnx_out::weight_bytes(*graph) >= options.external_data_from;
  return onnx_out::write_file(*graph, options.opset, file, external);
}

}  // namespace lathe::compression
