// Tensors wherever they are in a value.
#pragma once

#include <functional>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace lathe::compression {

/// Each tensor in a value: itself, or in lists, tuples and dictionaries.
void visit_tensors(const c10::IValue& value, const std::function<void(const at::Tensor&)>& visit);

}  // namespace lathe::compression
