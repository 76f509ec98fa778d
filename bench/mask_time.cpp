// How long pruners of weights take on the shapes of known networks, and how much memory: mask-time [repetitions]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <lathe/compression/pruner.hpp>

namespace {

using lathe::compression::Layer;
using lathe::compression::Mask;
using lathe::compression::Pruner;
using lathe::compression::PrunerOptions;
using lathe::compression::PruningMetric;
using Shape = std::vector<std::int64_t>;

constexpr double kSparsity = 0.5;

struct Network {
  std::string name;
  std::vector<Layer> layers;  ///< convolutions and linear layers
  std::vector<Layer> norms;   ///< a batch norm behind each convolution
};

/// Makes layers with normal weights, the same in each run.
class Builder {
 public:
  explicit Builder(std::string name) : network_{std::move(name), {}, {}}, random_(at::detail::createCPUGenerator(1)) {}

  void conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t groups = 1) {
    add("Conv2d", {out, in / groups, kernel, kernel});
    network_.norms.push_back({"norm", "BatchNorm2d", at::randn({out}, random_), at::zeros({out})});
  }
  void linear(std::int64_t in, std::int64_t out) { add("Linear", {out, in}); }
  Network take() { return std::move(network_); }

 private:
  void add(const std::string& type, const Shape& shape) {
    const auto number = std::to_string(network_.layers.size());
    network_.layers.push_back({"layer" + number, type, at::randn(shape, random_).mul_(0.05), {}});
  }

  Network network_;
  at::Generator random_;
};

Network resnet18() {
  Builder net("ResNet-18");
  net.conv(3, 64, 7);
  std::int64_t in = 64;
  for (const std::int64_t out : {64, 128, 256, 512}) {
    for (const int block : {0, 1}) {
      net.conv(block == 0 ? in : out, out, 3);
      net.conv(out, out, 3);
    }
    if (in != out) net.conv(in, out, 1);
    in = out;
  }
  net.linear(512, 1000);
  return net.take();
}

Network resnet50() {
  Builder net("ResNet-50");
  net.conv(3, 64, 7);
  std::int64_t in = 64;
  std::int64_t width = 64;
  for (const int blocks : {3, 4, 6, 3}) {
    net.conv(in, 4 * width, 1);
    for (int block = 0; block < blocks; ++block) {
      net.conv(in, width, 1);
      net.conv(width, width, 3);
      net.conv(width, 4 * width, 1);
      in = 4 * width;
    }
    width *= 2;
  }
  net.linear(2048, 1000);
  return net.take();
}

Network vgg16() {
  Builder net("VGG-16");
  std::int64_t in = 3;
  for (const std::int64_t out : {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512}) {
    net.conv(in, out, 3);
    in = out;
  }
  net.linear(25088, 4096);
  net.linear(4096, 4096);
  net.linear(4096, 1000);
  return net.take();
}

Network mobilenet_v2() {
  struct Stage {
    std::int64_t expansion, out;
    int blocks;
  };
  Builder net("MobileNetV2");
  net.conv(3, 32, 3);
  std::int64_t in = 32;
  for (const Stage& stage :
       {Stage{1, 16, 1}, {6, 24, 2}, {6, 32, 3}, {6, 64, 4}, {6, 96, 3}, {6, 160, 3}, {6, 320, 1}}) {
    for (int block = 0; block < stage.blocks; ++block) {
      const std::int64_t wide = in * stage.expansion;
      if (stage.expansion > 1) net.conv(in, wide, 1);
      net.conv(wide, wide, 3, wide);
      net.conv(wide, stage.out, 1);
      in = stage.out;
    }
  }
  net.conv(in, 1280, 1);
  net.linear(1280, 1000);
  return net.take();
}

double milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// A field of /proc/self/status, in MiB; 0 where there is none.
double status_mib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with(field + ":")) return std::strtod(line.c_str() + field.size() + 1, nullptr) / 1024;
  return 0;
}

/// Memory at its peak during the work, beyond what there was before.
double peak_mib(const std::function<void()>& work) {
  std::ofstream("/proc/self/clear_refs") << 5;
  const double before = status_mib("VmRSS");
  work();
  return std::max(0.0, status_mib("VmHWM") - before);
}

double read_once(const std::vector<Layer>& layers) {
  double sum = 0;
  for (const Layer& layer : layers) sum += layer.weight.sum().item<double>();
  return sum;
}

/// All masks are kept until the last is made, as a pruning does.
void mask_all(const Pruner& pruner, const std::vector<Layer>& layers) {
  std::vector<Mask> masks;
  for (const Layer& layer : layers) masks.push_back(pruner.mask(layer, kSparsity, nullptr));
}

void ones_all(const std::vector<Layer>& layers) {
  std::vector<at::Tensor> masks;
  for (const Layer& layer : layers) masks.push_back(at::ones_like(layer.weight));
}

void report(const Network& network, int repetitions) {
  double bytes = 0;
  for (const Layer& layer : network.layers) bytes += static_cast<double>(layer.weight.nbytes());
  const auto fastest = [&](const std::function<void()>& work) {
    double best = milliseconds(work);
    for (int i = 1; i < repetitions; ++i) best = std::min(best, milliseconds(work));
    return best;
  };
  volatile double unused = 0;
  const double pass = fastest([&] { unused = unused + read_once(network.layers); });
  const auto print = [&](const std::string& name, const std::function<void()>& work) {
    const double time = fastest(work);
    std::printf("| %-11s | %-12s | %8.2f | %7.1f | %8.1f |\n", network.name.c_str(), name.c_str(), time, time / pass,
                peak_mib(work));
  };
  std::printf("| %-11s | %-12s | %8.2f | %7.1f | %8.1f |\n", network.name.c_str(), "one pass", pass, 1.0,
              bytes / (1 << 20));
  print("ones_like", [&] { ones_all(network.layers); });
  for (const auto metric : {PruningMetric::Level, PruningMetric::L1, PruningMetric::L2, PruningMetric::Fpgm}) {
    const auto pruner = Pruner::create(metric);
    print(std::string(name_of(metric)), [&] { mask_all(*pruner, network.layers); });
  }
  const auto slim = Pruner::create(PruningMetric::Slim);
  print("slim", [&] { mask_all(*slim, network.norms); });
}

}  // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::max(1, std::atoi(argv[1])) : 7;
  at::set_num_threads(1);
  std::printf(
      "Masks at sparsity %.1f, one thread, best of %d. MiB: at the peak beyond the weights; of `one pass` theirs.\n",
      kSparsity, repetitions);
  std::printf("| network     | pruner       |       ms | x pass  |      MiB |\n");
  std::printf("| ----------- | ------------ | -------- | ------- | -------- |\n");
  for (const auto& network : {resnet18, resnet50, vgg16, mobilenet_v2}) report(network(), repetitions);
  return 0;
}
