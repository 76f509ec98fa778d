#include "image_section.hpp"

#include <fmt/format.h>

#include "known_keys.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

/// No image that a trial could train on is larger, and sums of two sizes stay far from overflow.
constexpr IntegerRange image_sizes{1, 65536};

/// A number, or [height, width].
std::vector<std::int64_t> read_sizes(const Value& value, Problems& problems) {
  if (!value.json().is_array()) {
    const auto size = read_integer(value, image_sizes, problems);
    return size ? std::vector{*size} : std::vector<std::int64_t>();
  }
  const std::vector<Value> items = value.items();
  if (items.size() != 2) {
    problems.add_mismatch(value, "a number of pixels or a list of two, [height, width]");
    return {};
  }
  std::vector<std::int64_t> sizes;
  for (const Value& item : items) sizes.push_back(read_integer(item, image_sizes, problems).value_or(1));
  return sizes;
}

/// A number stands for a square.
std::optional<ImageSize> read_image_size(const std::optional<Value>& value, Problems& problems) {
  if (!value) return std::nullopt;
  const auto sizes = read_sizes(*value, problems);
  if (sizes.empty()) return std::nullopt;
  return ImageSize{sizes.front(), sizes.back()};
}

void read_augment(const Value& value, AugmentConfig& augment, Problems& problems) {
  Fields fields(value, keys::augment, problems);
  augment.random_crop = read_image_size(fields.find("randomCrop"), problems);
  fields.integer("padding", augment.padding, {0, image_sizes.high});
  fields.boolean("horizontalFlip", augment.horizontal_flip);
  if (augment.padding > 0 && !fields.find("randomCrop")) {
    problems.add(*fields.find("padding"), "padding needs randomCrop, which cuts the padded image back to its size");
  }
}

/// Both parts of the data must end up with records of one shape.
void check_crops(const Value& crop, const DataConfig& data, Problems& problems) {
  if (!data.crop || !data.augment.random_crop) return;
  const ImageSize& centre = *data.crop;
  const ImageSize& random = *data.augment.random_crop;
  if (centre.height == random.height && centre.width == random.width) return;
  problems.add(crop, fmt::format("expected the size of augment.randomCrop, {} x {}, found {} x {}", random.height,
                                 random.width, centre.height, centre.width));
}

ordered_json size_json(const ImageSize& size) {
  return ordered_json::array({size.height, size.width});
}

}  // namespace

void read_image_keys(Fields& fields, DataConfig& data, Problems& problems) {
  if (const auto resize = fields.find("resize")) {
    data.resize = read_sizes(*resize, problems);
    if (data.format != DataFormat::Images) problems.add(*resize, "only the format images can be resized");
  }
  if (const auto augment = fields.find("augment")) read_augment(*augment, data.augment, problems);
  if (const auto crop = fields.find("crop")) {
    data.crop = read_image_size(*crop, problems);
    check_crops(*crop, data, problems);
  }
}

void write_image_keys(const DataConfig& data, ordered_json& json) {
  if (data.resize.size() == 1) json["resize"] = data.resize.front();
  if (data.resize.size() == 2) json["resize"] = data.resize;
  if (data.crop) json["crop"] = size_json(*data.crop);
  const AugmentConfig& augment = data.augment;
  if (!augment.random_crop && !augment.horizontal_flip) return;
  ordered_json changes = ordered_json::object();
  if (augment.random_crop) {
    changes["randomCrop"] = size_json(*augment.random_crop);
    changes["padding"] = augment.padding;
  }
  changes["horizontalFlip"] = augment.horizontal_flip;
  json["augment"] = std::move(changes);
}

}  // namespace lathe::proto
