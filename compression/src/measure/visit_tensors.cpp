#include "measure/visit_tensors.hpp"

namespace lathe::compression {

void visit_tensors(const c10::IValue& value, const std::function<void(const at::Tensor&)>& visit) {
  if (value.isTensor()) return visit(value.toTensor());
  if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) visit(tensor);
  } else if (value.isTuple()) {
    for (const auto& element : value.toTupleRef().elements()) visit_tensors(element, visit);
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) visit_tensors(element, visit);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) visit_tensors(entry.value(), visit);
  }
}

}  // namespace lathe::compression
