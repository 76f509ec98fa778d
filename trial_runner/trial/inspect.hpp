// Shows a model: the layers that a config_list or a search space can name, what they cost and what can be cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/dependency_groups.hpp>
#include <lathe/compression/model.hpp>

#include "result.hpp"

namespace lathe::trial {

struct LayerFacts {
  std::string name;
  std::string type;
  std::optional<compression::Shape> weight;
  std::optional<compression::Shape> output;  ///< of its first call; none: not called, or it returns no tensor
  std::int64_t parameters = 0;
  std::optional<std::int64_t> macs;  ///< of one sample; none: not counted
};

/// What needs a run of the model is there only if there was an input.
struct Inspection {
  std::filesystem::path model;
  std::vector<LayerFacts> layers;  ///< with a weight or bias, in definition order
  std::int64_t parameters = 0;     ///< of the whole model
  std::optional<compression::Shape> input;
  std::int64_t macs = 0;        ///< of one sample, all layers
  std::int64_t operations = 0;  ///< of one sample: compression::CountMode::Full
  std::int64_t activation_bytes = 0;
  std::vector<compression::DependencyGroup> groups;
};

/// Without an input, what the file alone tells. Errors: a file that is no model, an input that the model does not run
/// on.
[[nodiscard]] Result<Inspection> inspect(const std::filesystem::path& model, const std::optional<at::Tensor>& input);

[[nodiscard]] nlohmann::ordered_json to_json(const Inspection& inspection);
/// Tables for people.
[[nodiscard]] std::string to_text(const Inspection& inspection);

/// `1,1,28,28` → sizes, each > 0.
[[nodiscard]] Result<compression::Shape> parse_shape(const std::string& text);

/// A tensor that torch.save wrote.
[[nodiscard]] Result<at::Tensor> read_input(const std::filesystem::path& file);

}  // namespace lathe::trial
