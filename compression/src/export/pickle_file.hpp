// Files that torch.load opens.
#pragma once

#include <filesystem>
#include <string_view>

#include <ATen/core/ivalue.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Whole or not at all.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& file, std::string_view bytes);

/// What torch.save would write of the value.
[[nodiscard]] Result<void> write_pickle(const std::filesystem::path& file, const c10::IValue& value);

/// Objects become dicts, arrays lists of numbers.
[[nodiscard]] c10::IValue to_ivalue(const nlohmann::ordered_json& json);

}  // namespace lathe::compression
