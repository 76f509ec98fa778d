#include "graph/interpreter.hpp"

namespace lathe::compression {

c10::IValue interpret(const FlatGraph& flat, const at::Tensor& input, const Observer& observer,
                      const Substitute& substitute) {
  return Program(flat).run(input, {}, observer, substitute);
}

}  // namespace lathe::compression
