// Where the inputs of a data set come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// The values of one record in C order, in memory that others own.
struct RecordView {
  const void* values = nullptr;
  std::int64_t height = 0;  ///< of an image [C, H, W]; 0: not an image, or as in RecordSource::shape
  std::int64_t width = 0;
};

/// Safe to read from several threads at once.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual at::ScalarType type() const = 0;
  /// Of every record, but that images may differ in height and width: these are 0 then.
  [[nodiscard]] virtual Shape shape() const = 0;
  [[nodiscard]] virtual bool takes_work() const = 0;

  /// What is viewed lives in the source, or in `scratch` until it is used again.
  [[nodiscard]] virtual Result<RecordView> record(std::int64_t index, std::vector<std::uint8_t>& scratch) const = 0;
  /// What to call a record in a message.
  [[nodiscard]] virtual std::string name_of(std::int64_t index) const = 0;
};

}  // namespace lathe::compression
