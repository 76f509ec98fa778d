// From the stored values of a record to float32: scaled, normalised, and, where it is an image, cut and mirrored.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace lathe::compression {

/// Where in an image [C, height, width] the part that is wanted lies; it may reach beyond, where pixels are 0.
struct Window {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool mirrored = false;
};

struct StoredRecord {
  const void* values = nullptr;
  at::ScalarType type = at::kByte;
  std::int64_t channels = 0;
  std::int64_t height = 0;  ///< height * width values for each channel, whatever they mean
  std::int64_t width = 0;
};

/// value * scale + shift for the channel of each value; one of each for all channels, or one for each channel.
struct ChannelScale {
  const std::vector<float>& scale;
  const std::vector<float>& shift;
};

/// The types of values that can be read.
[[nodiscard]] bool is_readable(at::ScalarType type);

/// Writes the window to `out` in C order. Plain loops: it runs beside the trainer's threads and must not take theirs.
void read_record(const StoredRecord& record, const Window& window, const ChannelScale& scale, float* out);

/// The rectangle of `height` x `width` in the centre of a larger one, as torchvision rounds it.
[[nodiscard]] Window centre_window(std::int64_t image_height, std::int64_t image_width, std::int64_t height,
                                   std::int64_t width);

}  // namespace lathe::compression
