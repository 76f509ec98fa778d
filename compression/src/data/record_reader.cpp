#include "data/record_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include <c10/util/Half.h>

namespace lathe::compression {
namespace {

template <class T>
void read_row(const T* row, std::int64_t count, float scale, float shift, float* out) {
  for (std::int64_t x = 0; x < count; ++x) out[x] = static_cast<float>(row[x]) * scale + shift;
}

/// One row of the window; `inside` is the part of the stored row that the window covers.
template <class T>
void read_window_row(const T* row, std::int64_t row_width, const Window& window, float scale, float shift, float* out) {
  const std::int64_t begin = std::clamp<std::int64_t>(-window.left, 0, window.width);
  const std::int64_t end = std::clamp<std::int64_t>(row_width - window.left, begin, window.width);
  std::fill(out, out + begin, shift);
  if (begin < end) read_row(row + window.left + begin, end - begin, scale, shift, out + begin);
  std::fill(out + end, out + window.width, shift);
  if (window.mirrored) std::reverse(out, out + window.width);
}

template <class T>
void read_values(const StoredRecord& record, const Window& window, const ChannelScale& scale, float* out) {
  const auto* values = static_cast<const T*>(record.values);
  for (std::int64_t channel = 0; channel < record.channels; ++channel) {
    const std::size_t factor = scale.scale.size() == 1 ? 0 : static_cast<std::size_t>(channel);
    const T* plane = values + channel * record.height * record.width;
    for (std::int64_t y = window.top; y < window.top + window.height; ++y, out += window.width) {
      if (y < 0 || y >= record.height) {
        std::fill(out, out + window.width, scale.shift[factor]);
      } else {
        read_window_row(plane + y * record.width, record.width, window, scale.scale[factor], scale.shift[factor], out);
      }
    }
  }
}

using Reader = void (*)(const StoredRecord&, const Window&, const ChannelScale&, float*);

Reader reader_of(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return read_values<std::uint8_t>;
    case at::kChar:
      return read_values<std::int8_t>;
    case at::kShort:
      return read_values<std::int16_t>;
    case at::kInt:
      return read_values<std::int32_t>;
    case at::kLong:
      return read_values<std::int64_t>;
    case at::kHalf:
      return read_values<c10::Half>;
    case at::kFloat:
      return read_values<float>;
    case at::kDouble:
      return read_values<double>;
    default:
      return nullptr;
  }
}

/// Python's round() of an even division: halves go to the even neighbour.
std::int64_t half_of(std::int64_t value) {
  return value / 2 + (value % 4 == 3 ? 1 : 0);
}

}  // namespace

bool is_readable(at::ScalarType type) {
  return reader_of(type) != nullptr;
}

void read_record(const StoredRecord& record, const Window& window, const ChannelScale& scale, float* out) {
  const Reader reader = reader_of(record.type);
  if (reader == nullptr) throw std::invalid_argument("records of a type that cannot be read");
  reader(record, window, scale, out);
}

Window centre_window(std::int64_t image_height, std::int64_t image_width, std::int64_t height, std::int64_t width) {
  return {half_of(image_height - height), half_of(image_width - width), height, width};
}

}  // namespace lathe::compression
