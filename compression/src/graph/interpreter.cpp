#include "graph/interpreter.hpp"

namespace lathe::compression {

c10::IValue interpret(const FlatGraph& flat, const at::Tensor& input, const Observer& observer,
                      const Substitute& substitute, const StandIn& stand_in) {
  return Program(flat).run(input, {}, observer, substitute, stand_in);
}

}  // namespace lathe::compression
