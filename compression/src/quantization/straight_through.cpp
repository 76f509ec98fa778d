#include "quantization/straight_through.hpp"

#include <ATen/ops/mul.h>
#include <torch/csrc/autograd/custom_function.h>

namespace lathe::compression {
namespace {

class StraightThrough : public torch::autograd::Function<StraightThrough> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& /*tensor*/,
                            const Replacement& replacement) {
    if (replacement.factor.defined()) context->save_for_backward({replacement.factor});
    return replacement.value;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {saved.empty() ? gradients[0] : gradients[0].mul(saved[0]), at::Tensor()};
  }
};

}  // namespace

at::Tensor straight_through(const at::Tensor& tensor, const Replacement& replacement) {
  return StraightThrough::apply(tensor, replacement);
}

}  // namespace lathe::compression
