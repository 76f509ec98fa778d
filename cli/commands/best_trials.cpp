#include "commands/best_trials.hpp"

#include <algorithm>
#include <string>

#include "api.hpp"
#include "output/trial_view.hpp"

namespace lathe::cli {
namespace {

constexpr std::int64_t shown = 10;

}  // namespace

Outcome<ExitCode> print_best_trials(Context& context, const Json& experiment) {
  const std::string order = is_maximized(experiment) ? "-metric" : "metric";
  auto trials = list(context.client, api_path({"experiments", text_of(experiment, "id"), "trials"}),
                     {{"status", "SUCCEEDED"}, {"sort", order}}, shown);
  if (!trials) return pass_on(trials);
  auto& items = trials->items;
  items.erase(std::remove_if(items.begin(), items.end(), [](const Json& t) { return !number_of(t, "metric"); }),
              items.end());
  if (!items.empty()) context.out.stream << best_table(experiment, items).draw(context.out.palette, context.out.width);
  return ExitCode::Ok;
}

}  // namespace lathe::cli
