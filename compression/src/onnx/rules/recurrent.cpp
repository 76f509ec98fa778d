// LSTM, GRU and Elman networks: one ONNX operator a layer, both directions in it.
#include <string>

#include <ATen/Functions.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

struct Family {
  const char* type;
  std::vector<std::int64_t> gates;  ///< ONNX's order of PyTorch's gates
  bool cell;                        ///< there is a cell state beside the hidden one
};

/// Rows of each gate, in ONNX's order.
at::Tensor reordered(const at::Tensor& tensor, const std::vector<std::int64_t>& gates) {
  const auto parts = tensor.detach().chunk(static_cast<std::int64_t>(gates.size()), 0);
  std::vector<at::Tensor> order;
  for (const std::int64_t gate : gates) order.push_back(parts.at(static_cast<std::size_t>(gate)));
  return at::cat(order, 0);
}

/// The weights of one layer, its directions stacked.
struct LayerWeights {
  std::string input;
  std::string hidden;
  std::string bias;  ///< empty: none
  std::int64_t hidden_size;
};

class Recurrent {
 public:
  Recurrent(OpCall& call, const Family& family)
      : call_(call),
        family_(family),
        weights_(call.tensors("params")),
        layers_(call.integer("num_layers")),
        directions_(call.flag("bidirectional") ? 2 : 1),
        biases_(call.flag("has_biases")),
        batch_first_(call.flag("batch_first")) {
    if (call.flag("train") && layers_ > 1 && call.number("dropout") != 0)
      throw Unsupported("it drops out in eval mode");
    const std::int64_t each = biases_ ? 4 : 2;
    if (static_cast<std::int64_t>(weights_.size()) != layers_ * directions_ * each) {
      throw Unsupported("it has projections (proj_size), which ONNX has not");
    }
    for (const at::Tensor& weight : weights_)
      if (!call.is_constant(weight)) throw Unsupported("its weights are not constant");
  }

  void write() {
    const at::Tensor input = call_.required("input");
    if (input.dim() != 3) throw Unsupported("its input has no batch dimension");
    std::string x = call_.name(input);
    if (batch_first_) x = call_.transpose(x, {1, 0, 2});
    for (std::int64_t layer = 0; layer < layers_; ++layer) x = write_layer(x, layer);
    call_.out(batch_first_ ? call_.transpose(x, {1, 0, 2}) : x);
    call_.out(joined(hidden_), 1);
    if (family_.cell) call_.out(joined(cell_), 2);
  }

 private:
  std::string write_layer(const std::string& x, std::int64_t layer) {
    const LayerWeights weights = weights_of(layer);
    Names inputs{x, weights.input, weights.hidden, weights.bias, "", initial_state(0, layer)};
    if (family_.cell) inputs.push_back(initial_state(1, layer));
    Attributes attributes{{"hidden_size", weights.hidden_size},
                          {"direction", directions_ == 2 ? "bidirectional" : "forward"}};
    if (std::string(family_.type) == "GRU") attributes.emplace_back("linear_before_reset", 1);
    Names outputs = call_.graph().add_many(family_.type, inputs, family_.cell ? 3 : 2, attributes);
    hidden_.push_back(outputs[1]);
    if (family_.cell) cell_.push_back(outputs[2]);
    // length x directions x batch x hidden to length x batch x (directions * hidden)
    if (directions_ == 1) return call_.squeeze(outputs[0], {1});
    const std::string beside = call_.transpose(outputs[0], {0, 2, 1, 3});
    return call_.add("Reshape", {beside, call_.ints({0, 0, directions_ * weights.hidden_size})});
  }

  LayerWeights weights_of(std::int64_t layer) {
    std::vector<at::Tensor> input;
    std::vector<at::Tensor> hidden;
    std::vector<at::Tensor> bias;
    const std::int64_t each = biases_ ? 4 : 2;
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      const auto at = static_cast<std::size_t>((layer * directions_ + direction) * each);
      input.push_back(reordered(weights_[at], family_.gates));
      hidden.push_back(reordered(weights_[at + 1], family_.gates));
      if (!biases_) continue;
      bias.push_back(at::cat({reordered(weights_[at + 2], family_.gates), reordered(weights_[at + 3], family_.gates)}));
    }
    return {call_.constant(at::stack(input)), call_.constant(at::stack(hidden)),
            biases_ ? call_.constant(at::stack(bias)) : std::string(), hidden[0].size(1)};
  }

  /// The states of this layer's directions; `which`: 0 the hidden one, 1 the cell.
  std::string initial_state(std::size_t which, std::int64_t layer) {
    const auto states = call_.tensors("hx");
    const std::string all = call_.name(states.at(which));
    if (layers_ == 1) return all;
    return call_.add(
        "Slice", {all, call_.ints({layer * directions_}), call_.ints({(layer + 1) * directions_}), call_.ints({0})});
  }

  std::string joined(const Names& states) {
    return states.size() == 1 ? states[0] : call_.add("Concat", states, {{"axis", 0}});
  }

  OpCall& call_;
  const Family& family_;
  std::vector<at::Tensor> weights_;
  std::int64_t layers_;
  std::int64_t directions_;
  bool biases_;
  bool batch_first_;
  Names hidden_;
  Names cell_;
};

void write(OpCall& call, const Family& family) {
  if (call.has("batch_sizes") || !call.has("batch_first")) throw Unsupported("it takes packed sequences");
  Recurrent(call, family).write();
}

void lstm(OpCall& call) {
  static const Family family{"LSTM", {0, 3, 1, 2}, true};  // PyTorch: input, forget, cell, output
  write(call, family);
}

void gru(OpCall& call) {
  static const Family family{"GRU", {1, 0, 2}, false};  // PyTorch: reset, update, new
  write(call, family);
}

void rnn_tanh(OpCall& call) {
  static const Family family{"RNN", {0}, false};
  write(call, family);
}

}  // namespace

const RuleTable& recurrent_rules() {
  static const RuleTable table{{"aten::lstm", lstm}, {"aten::gru", gru}, {"aten::rnn_tanh", rnn_tanh}};
  return table;
}

}  // namespace lathe::compression::onnx_out
