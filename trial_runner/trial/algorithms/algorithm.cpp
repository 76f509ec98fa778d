#include "algorithms/algorithm.hpp"

#include <cctype>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::trial {
namespace {

struct Known {
  Algorithm algorithm;
  Family family;
  std::string_view name;
  std::vector<std::string_view>
      aliases;  ///< lower case, without `_` and `-`; `…pruner` and `…quantizer` are understood
};

const std::vector<Known>& known() {
  using enum Algorithm;
  using enum Family;
  static const std::vector<Known> table{
      {Level, OneShot, "level", {}},
      {L1, OneShot, "l1", {"l1filter", "l1norm"}},
      {L2, OneShot, "l2", {"l2filter", "l2norm"}},
      {Fpgm, OneShot, "fpgm", {}},
      {Slim, OneShot, "slim", {}},
      {TaylorFo, OneShot, "taylorfo", {"taylor", "taylorfoweight", "taylorfoweightfilter"}},
      {Apoz, OneShot, "apoz", {"activationapozrank", "activationapozrankfilter"}},
      {MeanActivation, OneShot, "mean_activation", {"activationmeanrank", "activationmeanrankfilter"}},
      {Agp, Scheduled, "agp", {}},
      {Algorithm::Linear, Scheduled, "linear", {}},
      {LotteryTicket, Scheduled, "lottery", {"lotteryticket"}},
      {NetAdapt, Iterative, "netadapt", {}},
      {SimulatedAnnealing, Iterative, "simulated_annealing", {"sa"}},
      {Admm, Iterative, "admm", {}},
      {AutoCompress, Iterative, "auto_compress", {}},
      {Sensitivity, Iterative, "sensitivity", {}},
      {Naive, Quantizer, "naive", {}},
      {Qat, Quantizer, "qat", {}},
      {DoReFa, Quantizer, "dorefa", {}},
      {Bnn, Quantizer, "bnn", {}},
      {Lsq, Quantizer, "lsq", {}},
      {Observer, Quantizer, "observer", {"ptq"}},
  };
  return table;
}

/// `L1Filter_Pruner` and `l1filter` are one name.
std::string plain(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (c != '_' && c != '-') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view ending : {"pruner", "quantizer"})
    if (plain.size() > ending.size() && plain.ends_with(ending)) plain.resize(plain.size() - ending.size());
  return plain;
}

bool is_called(const Known& known, const std::string& name) {
  if (plain(known.name) == name) return true;
  for (const std::string_view alias : known.aliases)
    if (alias == name) return true;
  return false;
}

const Known& entry_of(Algorithm algorithm) {
  return known().at(static_cast<std::size_t>(algorithm));
}

}  // namespace

Result<Algorithm> find_algorithm(const std::string& name) {
  const std::string wanted = plain(name);
  for (const Known& candidate : known())
    if (is_called(candidate, wanted)) return candidate.algorithm;
  return fail(fmt::format("unknown algorithm \"{}\"; known algorithms: {}", name, known_algorithms()));
}

std::string_view name_of(Algorithm algorithm) {
  return entry_of(algorithm).name;
}

Family family_of(Algorithm algorithm) {
  return entry_of(algorithm).family;
}

std::string known_algorithms() {
  std::vector<std::string_view> names;
  for (const Known& candidate : known()) names.push_back(candidate.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace lathe::trial
