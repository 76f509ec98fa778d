#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <ATen/Context.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/compression/int8.hpp>

namespace lathe::compression {
namespace {

/// As torch.backends.quantized.engine spells it.
std::string name_of(at::QEngine engine) {
  std::string name = c10::toString(engine);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

std::optional<at::QEngine> find_engine(std::string_view name) {
  for (const at::QEngine engine : at::globalContext().supportedQEngines()) {
    if (name_of(engine) == name) return engine;
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> int8_engine() {
  constexpr std::array<std::string_view, 3> best_first{"x86", "fbgemm", "onednn"};
  for (const std::string_view name : best_first) {
    if (find_engine(name)) return std::string(name);
  }
  std::vector<std::string> found;
  for (const at::QEngine engine : at::globalContext().supportedQEngines()) found.push_back(name_of(engine));
  return fail(
      fmt::format("this LibTorch has the quantized engines {} only; expected x86, fbgemm or onednn (qnnpack takes "
                  "longer than float on x86)",
                  fmt::join(found, ", ")));
}

EngineScope::EngineScope(const std::string& engine) : before_(static_cast<int>(at::globalContext().qEngine())) {
  if (const auto found = find_engine(engine)) at::globalContext().setQEngine(*found);
}

EngineScope::~EngineScope() {
  at::globalContext().setQEngine(static_cast<at::QEngine>(before_));
}

bool has_exact_int8() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx512vnni") != 0 || __builtin_cpu_supports("avxvnni") != 0;
#else
  return true;
#endif
}

}  // namespace lathe::compression
