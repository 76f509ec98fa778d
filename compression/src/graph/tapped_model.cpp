#include <lathe/compression/tapped_model.hpp>

#include <exception>

#include <fmt/format.h>

#include "graph/program.hpp"

namespace lathe::compression {

Result<std::unique_ptr<TappedModel>> TappedModel::create(const torch::jit::Module& model) {
  auto flat = FlatGraph::with_taps(model);
  if (!flat) return tl::unexpected(flat.error());
  try {
    return std::unique_ptr<TappedModel>(new TappedModel(std::move(*flat)));
  } catch (const std::exception& error) {
    return fail(fmt::format("the model cannot be run layer by layer: {}", error.what()));
  }
}

TappedModel::TappedModel(FlatGraph flat) : flat_(std::move(flat)), program_(std::make_unique<Program>(flat_)) {
  taps_.resize(program_->tap_sites().size());
}

TappedModel::~TappedModel() = default;

void TappedModel::add_tap(const std::string& layer, TapPlace place, Tap tap) {
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    const TapSite& site = program_->tap_sites()[i];
    if (site.layer == layer && site.place == place) taps_[i].push_back(tap);
  }
}

void TappedModel::clear_taps(const std::string& layer, TapPlace place) {
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    const TapSite& site = program_->tap_sites()[i];
    if (site.layer == layer && site.place == place) taps_[i].clear();
  }
}

void TappedModel::clear_taps() {
  for (auto& taps : taps_) taps.clear();
}

c10::IValue TappedModel::forward(const at::Tensor& input) const {
  return program_->run(input, taps_, {});
}

c10::IValue Network::forward(const at::Tensor& input) const {
  if (tapped_) return tapped_->forward(input);
  torch::jit::Module model = model_;
  return model.forward({input});
}

}  // namespace lathe::compression
