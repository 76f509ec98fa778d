#include "export/pickle_file.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <system_error>
#include <vector>

#include <ATen/core/Dict.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/pickle.h>

namespace lathe::compression {

namespace fs = std::filesystem;

Result<void> write_file(const fs::path& file, std::string_view bytes) {
  fs::path temporary = file;
  temporary += ".part";
  std::error_code error;
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) error = std::make_error_code(std::errc::io_error);
  if (!error) fs::rename(temporary, file, error);
  if (!error) return {};
  std::error_code ignored;
  fs::remove(temporary, ignored);
  return fail(fmt::format("{}: cannot be written: {}", file.string(), error.message()));
}

Result<void> write_pickle(const fs::path& file, const c10::IValue& value) {
  try {
    const std::vector<char> bytes = torch::jit::pickle_save(value);
    return write_file(file, {bytes.data(), bytes.size()});
  } catch (const std::exception& thrown) {
    return fail(fmt::format("{}: cannot be written: {}", file.string(), thrown.what()));
  }
}

c10::IValue to_ivalue(const nlohmann::ordered_json& json) {
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    const bool whole = std::all_of(json.begin(), json.end(), [](const auto& each) { return each.is_number_integer(); });
    return whole ? c10::IValue(json.get<std::vector<std::int64_t>>()) : c10::IValue(json.get<std::vector<double>>());
  }
  if (!json.is_object()) return {};
  c10::impl::GenericDict dict(c10::StringType::get(), c10::AnyType::get());
  for (const auto& [key, value] : json.items()) dict.insert(key, to_ivalue(value));
  return dict;
}

}  // namespace lathe::compression
