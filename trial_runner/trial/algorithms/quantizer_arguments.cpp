#include "algorithms/quantizer_arguments.hpp"

#include <stdexcept>

namespace lathe::trial {

using compression::ObserverKind;
using compression::QuantizerKind;

QuantizerKind quantizer_kind(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::Naive:
      return QuantizerKind::Naive;
    case Algorithm::Qat:
      return QuantizerKind::Qat;
    case Algorithm::DoReFa:
      return QuantizerKind::DoReFa;
    case Algorithm::Bnn:
      return QuantizerKind::Bnn;
    case Algorithm::Lsq:
      return QuantizerKind::Lsq;
    case Algorithm::Observer:
      return QuantizerKind::Observer;
    default:
      throw std::logic_error("not a quantizer: " + std::string(name_of(algorithm)));
  }
}

std::vector<std::string> default_quant_types(Algorithm algorithm) {
  const bool weights_only =
      algorithm == Algorithm::Naive || algorithm == Algorithm::DoReFa || algorithm == Algorithm::Bnn;
  if (weights_only) return {"weight"};
  return {"weight", "input"};
}

void declare_quantizer_arguments(ArgumentTable& table, QuantizerKind kind, compression::QuantizerOptions& options) {
  if (kind == QuantizerKind::Qat) table.flag("fold_batch_norm", options.fold_batch_norm);
  if (kind != QuantizerKind::Observer) return;
  table.choice("observer", options.observer,
               {{"histogram", ObserverKind::Histogram},
                {"minmax", ObserverKind::MinMax},
                {"per_channel", ObserverKind::PerChannel}});
}

}  // namespace lathe::trial
