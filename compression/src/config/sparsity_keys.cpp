#include <array>

#include "config/entry_keys.hpp"

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;

Result<double> read_sparsity(const EntryField& field) {
  constexpr auto range = "a number s with 0 <= s < 1";
  if (!field.value.is_number()) return field.expected(range);
  const double sparsity = field.value.get<double>();
  if (!(sparsity >= 0 && sparsity < 1)) return field.expected(range);
  return sparsity;
}

Result<void> read_final_sparsity(const EntryField& field, ConfigEntry& entry) {
  return read_sparsity(field).map([&](double sparsity) { entry.target.sparsity = sparsity; });
}

Result<void> read_total_sparsity(const EntryField& field, ConfigEntry& entry) {
  entry.shares_sparsity = true;
  return read_final_sparsity(field, entry);
}

Result<void> read_initial_sparsity(const EntryField& field, ConfigEntry& entry) {
  return read_sparsity(field).map([&](double sparsity) { entry.target.initial_sparsity = sparsity; });
}

bool is_max_sparsity(const Json& json) {
  return json.is_number() && json.get<double>() > 0 && json.get<double>() <= 1;
}

Result<void> read_max_sparsity(const EntryField& field, ConfigEntry& entry) {
  constexpr auto what = "a number m with 0 < m <= 1, or an object of such numbers by layer name";
  if (is_max_sparsity(field.value)) {
    entry.target.max_sparsity = field.value.get<double>();
    return {};
  }
  if (!field.value.is_object()) return field.expected(what);
  for (const auto& [layer, most] : field.value.items()) {
    if (!is_max_sparsity(most)) return field.expected(what);
    entry.max_sparsities[layer] = most.get<double>();
  }
  return {};
}

template <auto Member, std::int64_t Least>
Result<void> read_count(const EntryField& field, ConfigEntry& entry) {
  constexpr std::int64_t most = 1'000'000;
  const auto what = fmt::format("an integer from {} to {}", Least, most);
  if (!field.value.is_number_integer()) return field.expected(what);
  const double number = field.value.get<double>();
  if (number < static_cast<double>(Least) || number > static_cast<double>(most)) return field.expected(what);
  entry.target.*Member = field.value.get<std::int64_t>();
  return {};
}

Result<void> read_rho(const EntryField& field, ConfigEntry& entry) {
  constexpr double most = 1;  // from there on a step overshoots the projection
  const double rho = field.value.is_number() ? field.value.get<double>() : 0;
  if (!(rho > 0 && rho <= most)) return field.expected("a number r with 0 < r <= 1");
  entry.target.rho = rho;
  return {};
}

constexpr KeyFamilies kOneShot = family(EntryKeys::OneShot);
constexpr KeyFamilies kAgp = family(EntryKeys::Scheduled);
constexpr KeyFamilies kLottery = family(EntryKeys::Lottery);
constexpr KeyFamilies kAdmm = family(EntryKeys::Admm);
constexpr KeyFamilies kPruners = kOneShot | kAgp | kLottery | kAdmm;
constexpr KeyFamilies kPooling = kOneShot | kAgp | kLottery;

}  // namespace

std::span<const EntryKey> sparsity_keys() {
  static constexpr std::array keys{
      EntryKey{"sparsity", kPruners, "pruners", read_final_sparsity},
      EntryKey{"sparsity_per_layer", kPruners, "pruners", read_final_sparsity},
      EntryKey{"total_sparsity", kPooling, "pruners of one metric", read_total_sparsity},
      EntryKey{"max_sparsity_per_layer", kPooling, "pruners of one metric", read_max_sparsity},
      EntryKey{"initial_sparsity", kAgp, "agp", read_initial_sparsity},
      EntryKey{"final_sparsity", kAgp, "agp", read_final_sparsity},
      EntryKey{"start_epoch", kAgp, "agp", read_count<&SparsityTarget::start_epoch, 0>},
      EntryKey{"end_epoch", kAgp, "agp", read_count<&SparsityTarget::end_epoch, 0>},
      EntryKey{"frequency", kAgp, "agp", read_count<&SparsityTarget::frequency, 1>},
      EntryKey{"prune_iterations", kLottery, "lottery", read_count<&SparsityTarget::prune_iterations, 1>},
      EntryKey{"rho", kAdmm, "admm", read_rho},
      EntryKey{"row", kAdmm, "admm", read_rho},
  };
  return keys;
}

}  // namespace lathe::compression
