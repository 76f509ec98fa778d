#include "data/tensor_source.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace lathe::compression {

TensorSource::TensorSource(std::vector<at::Tensor> parts) : parts_(std::move(parts)) {
  std::int64_t end = 0;
  for (const at::Tensor& part : parts_) ends_.push_back(end += part.size(0));
}

Result<RecordView> TensorSource::record(std::int64_t index, std::vector<std::uint8_t>& /*scratch*/) const {
  const auto part = static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
  const at::Tensor& tensor = parts_[part];
  const std::int64_t row = part == 0 ? index : index - ends_[part - 1];
  const auto* bytes = static_cast<const std::uint8_t*>(tensor.data_ptr());
  return RecordView{bytes + row * tensor.stride(0) * static_cast<std::int64_t>(tensor.element_size())};
}

std::string TensorSource::name_of(std::int64_t index) const {
  return fmt::format("record {}", index);
}

}  // namespace lathe::compression
