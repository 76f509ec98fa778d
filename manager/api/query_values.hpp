// How single query parameters are read. Every error names the parameter, the value and what was expected.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/proto/result.hpp>

#include "http/request.hpp"

namespace lathe::manager {

using ParameterNames = std::initializer_list<std::string_view>;

/// What a parameter's words stand for.
template <class T, std::size_t Size>
using WordTable = std::array<std::pair<std::string_view, T>, Size>;

[[nodiscard]] tl::unexpected<proto::Error> unexpected_value(std::string_view name, std::string_view value,
                                                            std::string_view expected);

/// The error for a parameter that is not among `known`, if any.
[[nodiscard]] proto::Result<bool> check_names(const NamedValues& query, ParameterNames known);

[[nodiscard]] proto::Result<std::optional<std::int64_t>> parse_integer(const NamedValues& query, std::string_view name,
                                                                       std::int64_t low, std::int64_t high);

/// A list with commas in between.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view list);

template <class T, std::size_t Size>
[[nodiscard]] proto::Result<std::optional<T>> parse_word(const NamedValues& query, std::string_view name,
                                                         const WordTable<T, Size>& table) {
  const auto text = find_value(query, name);
  if (!text) return std::nullopt;
  std::vector<std::string_view> words;
  for (const auto& [word, value] : table) {
    if (word == *text) return value;
    words.push_back(word);
  }
  return unexpected_value(name, *text, fmt::format("one of {}", fmt::join(words, ", ")));
}

template <class Status, class Parse>
[[nodiscard]] proto::Result<std::vector<Status>> parse_statuses(const NamedValues& query, Parse parse,
                                                                std::string_view what) {
  std::vector<Status> statuses;
  for (const std::string_view word : split_list(find_value(query, "status").value_or(""))) {
    const std::optional<Status> status = parse(word);
    if (!status) return unexpected_value("status", word, what);
    statuses.push_back(*status);
  }
  return statuses;
}

}  // namespace lathe::manager
