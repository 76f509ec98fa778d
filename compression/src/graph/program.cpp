#include "graph/program.hpp"

#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "graph/inliner.hpp"
#include "graph/instructions.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;
namespace prim = c10::prim;

using Registers = std::vector<std::size_t>;

enum class Kind { Operator, Function, Constant, Tap, If, Loop };

/// The node of `block` that `node` is, or is somewhere inside of.
const Node* ancestor_in(const Block* block, const Node* node) {
  while (node->owningBlock() != block) node = node->owningBlock()->owningNode();
  return node;
}

/// The last node of the value's own block that needs it; nullptr when the block itself returns it, or nobody does.
const Node* last_user(const Value* value) {
  const Block* block = value->node()->owningBlock();
  const Node* last = nullptr;
  for (const auto& use : value->uses()) {
    const Node* user = ancestor_in(block, use.user);
    if (user->kind() == prim::Return) return nullptr;
    if (last == nullptr || user->isAfter(last)) last = user;
  }
  return last;
}

}  // namespace

struct Program::Instruction {
  const Node* node = nullptr;
  Kind kind = Kind::Operator;
  Registers inputs;
  Registers outputs;
  Registers released;  ///< needed by no later instruction
  std::function<void(torch::jit::Stack&)> operation;
  bool vararg = false;
  InstructionFunction function = nullptr;
  c10::IValue constant;
  std::size_t tap = 0;
  std::vector<Code> blocks;
};

struct Program::Code {
  Registers inputs;
  std::vector<Instruction> instructions;
  Registers outputs;
};

class Program::Compiler {
 public:
  explicit Compiler(Program& program) : program_(program) {}

  Code compile(const Block* block) {
    Code code;
    for (const Value* input : block->inputs()) code.inputs.push_back(define(input));
    for (const Node* node : block->nodes()) code.instructions.push_back(compile(node));
    code.outputs = registers_of(block->outputs());
    return code;
  }

 private:
  std::size_t define(const Value* value) { return registers_[value] = program_.registers_++; }

  template <class ValueList>
  Registers registers_of(const ValueList& values) const {
    Registers registers;
    for (const Value* value : values) registers.push_back(registers_.at(value));
    return registers;
  }

  Instruction compile(const Node* node) {
    Instruction instruction;
    instruction.node = node;
    instruction.inputs = registers_of(node->inputs());
    for (const Block* block : node->blocks()) instruction.blocks.push_back(compile(block));
    for (const Value* output : node->outputs()) instruction.outputs.push_back(define(output));
    choose_kind(instruction);
    note_released(instruction);
    return instruction;
  }

  void choose_kind(Instruction& instruction) {
    const Node* node = instruction.node;
    if (node->kind() == prim::If || node->kind() == prim::Loop) {
      instruction.kind = node->kind() == prim::If ? Kind::If : Kind::Loop;
    } else if (node->kind() == tap_kind()) {
      instruction.kind = Kind::Tap;
      instruction.tap = program_.tap_sites_.size();
      program_.tap_sites_.push_back(*program_.flat_.tap_site(node));
    } else if (node->kind() == prim::Constant) {
      instruction.kind = Kind::Constant;
      instruction.constant = find_instruction(prim::Constant)(node, {}).at(0);
    } else if (const auto function = find_instruction(node->kind())) {
      instruction.kind = Kind::Function;
      instruction.function = function;
    } else {
      const auto* op = node->maybeOperator();
      if (!op) throw std::runtime_error(fmt::format("{} cannot be run on its own", node->kind().toQualString()));
      instruction.operation = op->getOperation(node);
      instruction.vararg = op->schema().is_vararg();
    }
  }

  void note_released(Instruction& instruction) {
    for (const Value* output : instruction.node->outputs()) {
      if (output->uses().empty()) instruction.released.push_back(registers_.at(output));
      if (const Node* last = last_user(output)) releases_[last].push_back(registers_.at(output));
    }
    const auto due = releases_.find(instruction.node);
    if (due == releases_.end()) return;
    instruction.released.insert(instruction.released.end(), due->second.begin(), due->second.end());
  }

  Program& program_;
  std::unordered_map<const Value*, std::size_t> registers_;
  std::unordered_map<const Node*, Registers> releases_;
};

/// One run: the registers and what watches them.
class Program::Run {
 public:
  Run(const Program& program, const std::vector<std::vector<Tap>>& taps, const Observer& observer,
      const Substitute& substitute, const StandIn& stand_in)
      : taps_(taps),
        observer_(observer),
        substitute_(substitute),
        stand_in_(stand_in),
        registers_(program.registers_) {}

  Values run(const Code& code, const Values& inputs) {
    write(code.inputs, inputs);
    for (const Instruction& instruction : code.instructions) execute(instruction);
    return read(code.outputs);
  }

 private:
  [[nodiscard]] Values read(const Registers& from) const {
    Values values;
    values.reserve(from.size());
    for (const std::size_t index : from) values.push_back(registers_[index]);
    return values;
  }

  void write(const Registers& to, const Values& values) {
    for (std::size_t i = 0; i < to.size(); ++i) registers_[to[i]] = values.at(i);
  }

  void execute(const Instruction& instruction) {
    if (observer_ || substitute_ || stand_in_)
      step_watched(instruction);
    else
      step(instruction, nullptr);
    for (const std::size_t index : instruction.released) registers_[index] = {};
  }

  void step_watched(const Instruction& instruction) {
    const Kind kind = instruction.kind;
    const bool has_blocks = kind == Kind::If || kind == Kind::Loop;
    const Values inputs = read(instruction.inputs);
    const bool replaceable = substitute_ && (has_blocks || kind == Kind::Operator);
    const Values* instead = replaceable ? substitute_(instruction.node, inputs) : nullptr;
    if (auto outputs = outputs_instead(instruction, instead ? *instead : inputs))
      write(instruction.outputs, *outputs);
    else
      step(instruction, instead);
    if (observer_ && !has_blocks) observer_(instruction.node, instead ? *instead : inputs, read(instruction.outputs));
  }

  [[nodiscard]] std::optional<Values> outputs_instead(const Instruction& instruction, const Values& inputs) const {
    if (!stand_in_ || instruction.kind != Kind::Operator) return std::nullopt;
    return stand_in_(instruction.node, inputs);
  }

  /// `given` are the inputs; nullptr: those in the registers.
  void step(const Instruction& instruction, const Values* given) {
    switch (instruction.kind) {
      case Kind::Operator:
        return call_operator(instruction, given);
      case Kind::Function:
        return write(instruction.outputs, instruction.function(instruction.node, read(instruction.inputs)));
      case Kind::Constant:
        registers_[instruction.outputs[0]] = instruction.constant;
        return;
      case Kind::Tap:
        return pass_taps(instruction);
      case Kind::If: {
        const bool taken = (given ? given->at(0) : registers_[instruction.inputs[0]]).toBool();
        return write(instruction.outputs, run(instruction.blocks[taken ? 0 : 1], {}));
      }
      case Kind::Loop:
        return write(instruction.outputs, run_loop(instruction, given ? *given : read(instruction.inputs)));
    }
  }

  void call_operator(const Instruction& instruction, const Values* given) {
    stack_.clear();
    if (given)
      stack_.insert(stack_.end(), given->begin(), given->end());
    else
      for (const std::size_t index : instruction.inputs) stack_.push_back(registers_[index]);
    if (instruction.vararg) stack_.emplace_back(static_cast<std::int64_t>(instruction.inputs.size()));
    instruction.operation(stack_);
    for (std::size_t i = 0; i < instruction.outputs.size(); ++i)
      registers_[instruction.outputs[i]] = std::move(stack_.at(i));
  }

  void pass_taps(const Instruction& instruction) {
    c10::IValue value = registers_[instruction.inputs[0]];
    if (instruction.tap < taps_.size() && value.isTensor())
      for (const Tap& tap : taps_[instruction.tap]) value = tap(value.toTensor());
    registers_[instruction.outputs[0]] = std::move(value);
  }

  Values run_loop(const Instruction& instruction, const Values& inputs) {
    const std::int64_t most = inputs.at(0).toInt();
    bool go_on = inputs.at(1).toBool();
    Values carried(inputs.begin() + 2, inputs.end());
    for (std::int64_t i = 0; go_on && i < most; ++i) {
      carried.insert(carried.begin(), i);
      carried = run(instruction.blocks.at(0), carried);
      go_on = carried.at(0).toBool();
      carried.erase(carried.begin());
    }
    return carried;
  }

  const std::vector<std::vector<Tap>>& taps_;
  const Observer& observer_;
  const Substitute& substitute_;
  const StandIn& stand_in_;
  Values registers_;
  torch::jit::Stack stack_;
};

Program::Program(const FlatGraph& flat) : flat_(flat) {
  code_ = std::make_unique<Code>(Compiler(*this).compile(flat.graph()->block()));
}

Program::~Program() = default;

c10::IValue Program::run(const at::Tensor& input, const std::vector<std::vector<Tap>>& taps, const Observer& observer,
                         const Substitute& substitute, const StandIn& stand_in) const {
  torch::jit::Stack inputs{flat_.model()._ivalue(), input};
  flat_.model().get_method("forward").function().getSchema().checkAndNormalizeInputs(inputs, {});
  return Run(*this, taps, observer, substitute, stand_in).run(*code_, Values(inputs.begin(), inputs.end())).at(0);
}

}  // namespace lathe::compression
