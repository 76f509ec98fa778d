#include "hosts/ssh/attempt_ledger.hpp"

#include <algorithm>

namespace lathe::manager {

namespace {

bool lies_in(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

}  // namespace

void AttemptLedger::begin(const std::vector<std::string>& running) {
  present_ = {running.begin(), running.end()};
  ended_.clear();
}

bool AttemptLedger::acknowledge(std::uint64_t sequence) {
  const auto beyond = ended_.upper_bound(sequence);
  const bool any = beyond != ended_.begin();
  for (auto each = ended_.begin(); each != beyond; each = ended_.erase(each)) present_.erase(each->second);
  return any;
}

std::vector<std::string> AttemptLedger::dispensable(const std::vector<std::string>& folders,
                                                    const std::function<bool(const std::string&)>& is_needed) const {
  std::set<std::string> in_use;
  for (const std::string& attempt : present_) in_use.insert(folder_of_(attempt));
  std::vector<std::string> gone;
  for (const std::string& folder : folders) {
    const bool goes_already = !gone.empty() && lies_in(folder, gone.back());
    const auto first = in_use.lower_bound(folder);
    const bool is_in_use =
        std::any_of(first, in_use.end(), [&](const std::string& used) { return lies_in(used, folder); });
    if (!goes_already && !is_in_use && !is_needed(folder)) gone.push_back(folder);
  }
  return gone;
}

}  // namespace lathe::manager
