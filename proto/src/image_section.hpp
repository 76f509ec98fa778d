// The keys of `data:` that change images on their way: resize, crop, augment.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "problems.hpp"
#include "reader.hpp"

namespace lathe::proto {

/// Sets the members of `data` that these keys stand for; `data.format` is known already.
void read_image_keys(Fields& fields, DataConfig& data, Problems& problems);

/// Adds the keys that are not at their defaults.
void write_image_keys(const DataConfig& data, nlohmann::ordered_json& json);

}  // namespace lathe::proto
