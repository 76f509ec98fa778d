// What quantization-aware training costs: a training step with every weight, input and output of the convolutions and
// linear layers at 8 bits, against the float step of the same model. Steps take turns, so that a noisy machine
// is fair to both; the medians are compared.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/optim/sgd.h>

#include <lathe/compression/quantization.hpp>

#include "models.hpp"

namespace {

using namespace lathe::compression;  // NOLINT(google-build-using-namespace)

constexpr int kWarmUp = 3;
constexpr int kSteps = 15;

/// One model in training.
class Trained {
 public:
  Trained(torch::jit::Module model, const QuantizerKind* kind)
      : model_(std::move(model)), tapped_(TappedModel::create(model_).value()) {
    model_.train();
    std::vector<at::Tensor> parameters;
    for (const at::Tensor& parameter : model_.parameters()) parameters.push_back(parameter);
    if (kind != nullptr) quantize(*kind, parameters);
    optimizer_ = std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(0.01).momentum(0.9));
  }

  /// Milliseconds of one step.
  double step(const at::Tensor& inputs, const at::Tensor& targets) {
    const auto start = std::chrono::steady_clock::now();
    optimizer_->zero_grad();
    at::cross_entropy_loss(tapped_->forward(inputs).toTensor(), targets).backward();
    optimizer_->step();
    if (quantization_) quantization_->step();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  void quantize(QuantizerKind kind, std::vector<at::Tensor>& parameters) {
    std::vector<QuantizedLayer> layers;
    for (const Layer& layer : layers_of(model_)) {
      if (!layer.type.starts_with("Conv") && layer.type != "Linear") continue;
      layers.push_back({layer, {QuantSpec{}, QuantSpec{}, QuantSpec{}, 0}});
    }
    quantization_ = Quantization::create(kind, {}, layers, tapped_).value();
    for (const at::Tensor& scale : quantization_->extra_parameters()) parameters.push_back(scale);
  }

  torch::jit::Module model_;
  std::shared_ptr<TappedModel> tapped_;
  std::unique_ptr<Quantization> quantization_;
  std::unique_ptr<torch::optim::SGD> optimizer_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const std::string& name, torch::jit::Module (*make)(std::uint64_t), const at::Tensor& inputs) {
  const at::Tensor targets = at::arange(inputs.size(0)).remainder(10);
  const QuantizerKind qat_kind = QuantizerKind::Qat;
  const QuantizerKind lsq_kind = QuantizerKind::Lsq;
  Trained plain(make(0), nullptr);
  Trained qat(make(0), &qat_kind);
  Trained lsq(make(0), &lsq_kind);
  std::vector<double> times[3];
  for (int i = 0; i < kWarmUp + kSteps; ++i) {
    const double taken[3] = {plain.step(inputs, targets), qat.step(inputs, targets), lsq.step(inputs, targets)};
    for (int j = 0; i >= kWarmUp && j < 3; ++j) times[j].push_back(taken[j]);
  }
  const double base = median(times[0]);
  std::printf("%-12s float %7.2f ms   qat %7.2f ms (%.2fx)   lsq %7.2f ms (%.2fx)\n", name.c_str(), base,
              median(times[1]), median(times[1]) / base, median(times[2]), median(times[2]) / base);
}

}  // namespace

int main() {
  at::set_num_threads(1);
  compare("lenet", test_models::lenet, test_models::random_input({64, 1, 28, 28}));
  compare("residual", test_models::residual_net, test_models::random_input({64, 3, 32, 32}));
  return 0;
}
