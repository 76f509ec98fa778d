// Records in tensors, which may lie in mapped files.
#pragma once

#include <cstdint>
#include <vector>

#include "data/record_source.hpp"

namespace lathe::compression {

/// The records of all parts, one part behind the other. Parts are [n, …] of the same type and record shape; each record
/// is contiguous, the distance between two is any.
class TensorSource final : public RecordSource {
 public:
  explicit TensorSource(std::vector<at::Tensor> parts);

  [[nodiscard]] std::int64_t size() const override { return ends_.back(); }
  [[nodiscard]] at::ScalarType type() const override { return parts_.front().scalar_type(); }
  [[nodiscard]] Shape shape() const override { return parts_.front().sizes().slice(1).vec(); }
  [[nodiscard]] bool takes_work() const override { return false; }
  [[nodiscard]] Result<RecordView> record(std::int64_t index, std::vector<std::uint8_t>& scratch) const override;
  [[nodiscard]] std::string name_of(std::int64_t index) const override;

 private:
  std::vector<at::Tensor> parts_;
  std::vector<std::int64_t> ends_;  ///< records up to the end of each part
};

}  // namespace lathe::compression
