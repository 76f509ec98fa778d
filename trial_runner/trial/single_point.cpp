#include "single_point.hpp"

#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;

Result<void> add_point(Json& point, const std::vector<proto::Parameter>& parameters, const std::string& path) {
  for (const auto& parameter : parameters) {
    const std::string name = path.empty() ? parameter.name : path + "." + parameter.name;
    const auto* choice = std::get_if<proto::Choice>(&parameter.distribution);
    if (choice == nullptr || choice->options.size() != 1) {
      return fail(
          fmt::format("searchSpace.{}: {}; one model is compressed in one way, so give each parameter one value "
                      "({{_type: choice, _value: [0.5]}}), or name all values with --parameters",
                      name, choice == nullptr ? "is a range" : fmt::format("has {} options", choice->options.size())));
    }
    const auto& option = choice->options.front();
    Json value = option.value;
    if (auto added = add_point(value, option.parameters, name); !added) return added;
    point[parameter.name] = std::move(value);
  }
  return {};
}

}  // namespace

Result<Json> single_point(const proto::SearchSpace& space) {
  Json point = Json::object();
  if (auto added = add_point(point, space.parameters, ""); !added) return tl::unexpected(added.error());
  return point;
}

}  // namespace lathe::trial
