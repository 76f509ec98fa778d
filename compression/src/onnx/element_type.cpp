#include "onnx/element_type.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

constexpr std::array<std::pair<at::ScalarType, std::int64_t>, 10> kTypes{{{at::ScalarType::Float, 1},
                                                                          {at::ScalarType::Byte, 2},
                                                                          {at::ScalarType::Char, 3},
                                                                          {at::ScalarType::Short, 5},
                                                                          {at::ScalarType::Int, 6},
                                                                          {at::ScalarType::Long, 7},
                                                                          {at::ScalarType::Bool, 9},
                                                                          {at::ScalarType::Half, 10},
                                                                          {at::ScalarType::Double, 11},
                                                                          {at::ScalarType::BFloat16, 16}}};

}  // namespace

std::int64_t onnx_element_type(at::ScalarType type) {
  for (const auto& [torch, onnx] : kTypes)
    if (torch == type) return onnx;
  throw std::runtime_error(fmt::format("ONNX has no element type for {}", c10::toString(type)));
}

std::optional<at::ScalarType> torch_element_type(std::int64_t type) {
  for (const auto& [torch, onnx] : kTypes)
    if (onnx == type) return torch;
  return std::nullopt;
}

}  // namespace lathe::compression
