// Products of tensors along axes: matmul, bmm, einsum, and attention made of them. The heads of an attention are the
// channels of an axis that the product runs over one by one; they stay or go whole.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include <ATen/ops/full_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "speedup/mixing.hpp"
#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kNoHeads = "the product mixes these channels in a way that speed-up cannot follow";
constexpr const char* kScale = "the attention is scaled by the number of these channels";
constexpr const char* kFixedSide = "the other side of the product has a fixed size";

/// One letter an axis, as in einsum.
struct Factor {
  at::Tensor tensor;
  std::string letters;
};

/// The one axis of a factor that carries channels.
struct Carried {
  char letter = 0;
  Channels line{};  ///< with the factor's dimensions
  std::vector<Label> labels{};
  at::Tensor zero{};  ///< bool, one entry a channel: masked to zero
};

struct Product {
  std::vector<Factor> factors;
  std::string out;
};

bool has(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

/// Axes of a factor that the other has and the output keeps.
bool is_batch(const Product& product, std::size_t factor, char letter) {
  return has(product.out, letter) && has(product.factors[1 - factor].letters, letter);
}

/// A factor with several axes of channels keeps those that the product runs over one by one, its heads.
std::optional<std::int64_t> carrying_axis(const Product& product, std::size_t factor, const Channels& channels) {
  const auto axes = channel_axes(channels);
  if (axes.size() == 1) return axes.front();
  for (const std::int64_t axis : axes)
    if (is_batch(product, factor, product.factors[factor].letters[static_cast<std::size_t>(axis)])) return axis;
  return std::nullopt;
}

Carried carried_by(Tracer& tracer, const Factor& factor, const Channels& channels, std::int64_t axis) {
  Carried carried;
  carried.letter = factor.letters[static_cast<std::size_t>(axis)];
  carried.line = channel_axes(channels).size() == 1 ? channels : collapsed_to(channels, axis, tracer.table());
  carried.labels = labels_in(carried.line.labels);
  carried.zero = carried.line.dead.logical_and(carried.line.value.eq(0)).reshape({-1});
  return carried;
}

/// A parameter follows the channels of the other factor.
std::optional<Carried> carried_by_parameter(Tracer& tracer, const Factor& factor, char letter) {
  const auto axis = static_cast<std::int64_t>(factor.letters.find(letter));
  const auto parameter = tracer.parameter_axis(factor.tensor, axis);
  if (!parameter) return std::nullopt;
  const auto labels = tracer.labels_of(*parameter, factor.tensor.size(axis));
  Carried carried{letter, live_channels(factor.tensor.dim(), axis, labels), labels, {}};
  carried.zero = tracer.masked_slices(factor.tensor, axis);
  for (std::int64_t other = 0; other < factor.tensor.dim(); ++other)
    if (const auto fixed = tracer.parameter_axis(factor.tensor, other); fixed && other != axis)
      tracer.pin(tracer.labels_of(*fixed, factor.tensor.size(other)));
  return carried;
}

class ProductTracer {
 public:
  ProductTracer(Tracer& tracer, const Call& call, Product product)
      : tracer_(tracer), call_(call), product_(std::move(product)) {}

  void run() {
    for (std::size_t i = 0; i < 2; ++i)
      if (!find(i)) return keep_both(kNoHeads);
    if (!sides_[0] && !sides_[1]) return;
    for (std::size_t i = 0; i < 2; ++i)
      if (sides_[i] && !follow(i)) return keep_both(kFixedSide);
    if (sides_[0] && sides_[1] && sides_[0]->letter != sides_[1]->letter) return keep_both(kNoHeads);
    const Carried& side = sides_[0] ? *sides_[0] : *sides_[1];
    if (sides_[0] && sides_[1]) tracer_.table().unite(sides_[0]->labels, sides_[1]->labels);
    if (has(product_.out, side.letter)) return set_output(side);
    tracer_.read(call_, side.labels, either_zero());
  }

 private:
  bool find(std::size_t i) {
    const Factor& factor = product_.factors[i];
    const auto channels = tracer_.channels(factor.tensor);
    if (!channels) return true;
    const auto axis = carrying_axis(product_, i, *channels);
    if (axis) sides_[i] = carried_by(tracer_, factor, *channels, *axis);
    return axis.has_value();
  }

  /// The other factor, when it has that axis without channels on it.
  bool follow(std::size_t i) {
    const Factor& other = product_.factors[1 - i];
    const char letter = sides_[i]->letter;
    if (sides_[1 - i] || !has(other.letters, letter)) return true;
    if (other.tensor.size(static_cast<std::int64_t>(other.letters.find(letter))) == 1) return true;
    sides_[1 - i] = carried_by_parameter(tracer_, other, letter);
    return sides_[1 - i].has_value();
  }

  [[nodiscard]] at::Tensor either_zero() const {
    if (!sides_[0]) return sides_[1]->zero;
    return sides_[1] ? sides_[0]->zero.logical_or(sides_[1]->zero) : sides_[0]->zero;
  }

  void set_output(const Carried& side) {
    const auto axis = static_cast<std::int64_t>(product_.out.find(side.letter));
    Channels made = live_channels(call_.output().dim(), axis, side.labels);
    made.dead.copy_(either_zero().view(made.dead.sizes()));
    tracer_.set(call_.output(), made, call_);
  }

  void keep_both(const char* reason) {
    for (const auto& factor : product_.factors) tracer_.keep(call_, factor.tensor, reason);
  }

  Tracer& tracer_;
  const Call& call_;
  Product product_;
  std::optional<Carried> sides_[2];
};

/// Letters of a batched matrix product: batch axes from the back, then rows, and columns.
std::string letters_of(std::int64_t dimensions, char row, char column) {
  std::string letters;
  for (std::int64_t axis = dimensions - 2; axis > 0; --axis) letters += static_cast<char>('A' + axis);
  return letters + row + column;
}

void matrix_product(Tracer& tracer, const Call& call, const at::Tensor& left, const at::Tensor& right) {
  if (right.dim() == 2 && left.dim() >= 2 && tracer.parameter_axis(right, 0) && tracer.parameter_axis(right, 1))
    return mix(tracer, call, {.input = left, .axis = left.dim() - 1, .weight = right, .out_axis = 1, .in_axis = 0});
  if (left.dim() < 2 || right.dim() < 2) {
    tracer.keep(call, left, kNoHeads);
    return tracer.keep(call, right, kNoHeads);
  }
  const std::int64_t dimensions = std::max(left.dim(), right.dim());
  ProductTracer(tracer, call,
                {{{left, letters_of(left.dim(), 'm', 'k')}, {right, letters_of(right.dim(), 'k', 'n')}},
                 letters_of(dimensions, 'm', 'n')})
      .run();
}

void matmul(Tracer& tracer, const Call& call) {
  const at::Tensor other = call.tensor("other");
  matrix_product(tracer, call, call.tensor("self"), other.defined() ? other : call.tensor("mat2"));
}

/// self is added: it must not have a value for each channel.
void baddbmm(Tracer& tracer, const Call& call) {
  const at::Tensor added = call.tensor("self");
  const at::Tensor left = call.tensor("batch1");
  const at::Tensor right = call.tensor("batch2");
  const auto beta = call.argument("beta");
  matrix_product(tracer, call, left, right);
  const auto made = tracer.channels(call.output());
  if (!made || (beta.isScalar() && beta.toScalar().toDouble() == 0)) return;
  const Channels live{made->labels, at::zeros_like(made->dead), made->value};
  tracer.set(call.output(), live, call);
  if (tracer.channels(added)) tracer.keep(call, added, kFixedPartner);
  const std::int64_t missing = made->labels.dim() - added.dim();
  for (const std::int64_t axis : channel_axes(*made))
    if (axis >= missing && added.size(axis - missing) > 1) return tracer.keep(call, call.output(), kFixedPartner);
}

/// "bhnd,bhmd->bhnm" without blanks; empty: dots, repeated letters or not two factors.
std::optional<Product> parse_einsum(std::string equation, const std::vector<at::Tensor>& tensors) {
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  const auto arrow = equation.find("->");
  const auto comma = equation.find(',');
  if (tensors.size() != 2 || arrow == std::string::npos || comma == std::string::npos || comma > arrow)
    return std::nullopt;
  Product product{
      {{tensors[0], equation.substr(0, comma)}, {tensors[1], equation.substr(comma + 1, arrow - comma - 1)}},
      equation.substr(arrow + 2)};
  for (const auto& factor : product.factors) {
    for (const char letter : factor.letters)
      if (!std::isalpha(static_cast<unsigned char>(letter)) ||
          std::count(factor.letters.begin(), factor.letters.end(), letter) > 1)
        return std::nullopt;
    if (static_cast<std::int64_t>(factor.letters.size()) != factor.tensor.dim()) return std::nullopt;
  }
  return product;
}

void einsum(Tracer& tracer, const Call& call) {
  const auto tensors = tensors_in(call.argument("tensors"));
  auto product = parse_einsum(call.argument("equation").toStringRef(), tensors);
  if (product) return ProductTracer(tracer, call, std::move(*product)).run();
  for (const auto& tensor : tensors) tracer.keep(call, tensor, kNoHeads);
}

/// Fused attention: heads on the last but two axes of query, key and value.
void attention(Tracer& tracer, const Call& call) {
  std::vector<std::pair<at::Tensor, Channels>> parts;
  const at::Tensor query = call.tensor("query");
  const std::int64_t heads = query.dim() - 3;
  bool whole = heads >= 0;
  for (const char* name : {"query", "key", "value"}) {
    const auto channels = tracer.channels(call.tensor(name));
    whole &= channels && channels->labels.size(heads) > 1 && channels->labels.size(heads) == query.size(heads);
    if (channels) parts.emplace_back(call.tensor(name), *channels);
  }
  if (parts.empty()) return;
  const at::Tensor mask = call.tensor("attn_mask");
  if (mask.defined() && mask.dim() > 2 && mask.size(-3) > 1) whole = false;
  if (!whole || parts.size() != 3) {
    for (const auto& part : parts) tracer.keep(call, part.first, kScale);
    return;
  }
  std::vector<Channels> lines;
  for (const auto& part : parts) lines.push_back(collapsed_to(part.second, heads, tracer.table()));
  for (const auto& line : lines) tracer.table().unite(labels_in(lines[0].labels), labels_in(line.labels));
  Channels made = lines[2];
  made.dead = made.dead.logical_and(made.value.eq(0));
  tracer.set(call.output(), made, call);
  made.dead = at::zeros_like(made.dead);
  if (call.outputs.size() > 1 && call.outputs[1].isTensor() && call.outputs[1].toTensor().dim() == query.dim())
    tracer.set(call.outputs[1].toTensor(), made, call);
}

}  // namespace

const RuleTable& product_rules() {
  static const RuleTable rules{{"matmul", matmul},
                               {"mm", matmul},
                               {"bmm", matmul},
                               {"baddbmm", baddbmm},
                               {"einsum", einsum},
                               {"scaled_dot_product_attention", attention},
                               {"_scaled_dot_product_attention", attention}};
  return rules;
}

}  // namespace lathe::compression
