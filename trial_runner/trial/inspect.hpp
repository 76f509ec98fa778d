// Shows the layers of a model: the names that a config_list or a search space can use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <lathe/compression/model.hpp>

#include "result.hpp"

namespace lathe::trial {

/// A table of name, type, weight shape and parameters; with an input shape also multiply-accumulates of one sample.
[[nodiscard]] Result<std::string> inspect(const std::filesystem::path& model,
                                          const std::optional<compression::Shape>& input_shape);

/// `1,1,28,28` → sizes, each > 0.
[[nodiscard]] Result<compression::Shape> parse_shape(const std::string& text);

}  // namespace lathe::trial
