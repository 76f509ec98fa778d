// The iterative pruners by their names, and their arguments.
#pragma once

#include <memory>
#include <variant>

#include <lathe/compression/admm.hpp>
#include <lathe/compression/auto_compress.hpp>
#include <lathe/compression/iterative.hpp>
#include <lathe/compression/netadapt.hpp>
#include <lathe/compression/sensitivity.hpp>
#include <lathe/compression/simulated_annealing.hpp>

#include "algorithms/algorithm.hpp"
#include "algorithms/argument_table.hpp"

namespace lathe::trial {

using IterativeOptions =
    std::variant<compression::NetAdaptOptions, compression::AnnealingOptions, compression::AdmmOptions,
                 compression::AutoCompressOptions, compression::SensitivityOptions>;

/// NNI's defaults with this base algorithm. `algorithm` is of the family Iterative.
[[nodiscard]] IterativeOptions make_iterative_options(Algorithm algorithm, compression::PruningMetric base);

void declare_iterative_arguments(ArgumentTable& table, IterativeOptions& options);

[[nodiscard]] std::unique_ptr<compression::IterativePruner> make_iterative_pruner(const IterativeOptions& options);

}  // namespace lathe::trial
