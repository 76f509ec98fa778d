#include "graph/interpreter.hpp"

namespace lathe::compression {

c10::IValue interpret(const FlatGraph& flat, const at::Tensor& input, const Observer& observer) {
  return Program(flat).run(input, {}, observer);
}

}  // namespace lathe::compression
