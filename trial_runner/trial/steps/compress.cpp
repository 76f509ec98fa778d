#include "steps/compress.hpp"

#include "steps/iterate.hpp"
#include "steps/prune.hpp"
#include "steps/quantize.hpp"

namespace lathe::trial {
namespace {

struct Step {
  Workshop& workshop;

  Result<Compressed> operator()(const PruningPlan& plan) const { return prune(plan, workshop); }
  Result<Compressed> operator()(const IterativePlan& plan) const { return iterate(plan, workshop); }
  Result<Compressed> operator()(const QuantizationPlan& plan) const { return quantize(plan, workshop); }
};

}  // namespace

Result<Compressed> compress(const Plan& plan, Workshop& workshop) {
  return std::visit(Step{workshop}, plan.how);
}

}  // namespace lathe::trial
