#include "problems.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace lathe::proto {
namespace {

/// Nobody reads more, and a hostile input must not make us write gigabytes.
constexpr std::size_t most_errors = 1000;

bool is_on_earlier_line(const Error& a, const Error& b) {
  return a.line < b.line;
}

}  // namespace

void Problems::record(Errors& list, const Value& at, std::string field, std::string message) {
  if (list.size() >= most_errors) {
    has_more_ = true;
    return;
  }
  list.push_back(Error{std::move(message), std::move(field), file_, at.line()});
}

bool Problems::is_full() const {
  return errors_.size() >= most_errors;
}

void Problems::add(const Value& at, std::string message) {
  record(errors_, at, at.field(), std::move(message));
}

void Problems::add_missing(const Value& near, const Path& missing, std::string message) {
  record(errors_, near, missing.to_string(), std::move(message));
}

void Problems::add_mismatch(const Value& at, const std::string& expected) {
  add(at, fmt::format("expected {}, found {}", expected, describe(at.json())));
}

void Problems::append(Errors errors) {
  appended_.insert(appended_.end(), std::make_move_iterator(errors.begin()), std::make_move_iterator(errors.end()));
}

void Problems::warn(const Value& at, std::string message) {
  record(warnings_, at, at.field(), std::move(message));
}

Errors Problems::take_errors() {
  std::stable_sort(errors_.begin(), errors_.end(), is_on_earlier_line);
  Errors errors = std::exchange(errors_, {});
  if (has_more_) errors.push_back(Error{fmt::format("there are more errors than these {}", most_errors), {}, file_, 0});
  errors.insert(errors.end(), std::make_move_iterator(appended_.begin()), std::make_move_iterator(appended_.end()));
  return errors;
}

std::vector<std::string> Problems::take_warnings() {
  std::stable_sort(warnings_.begin(), warnings_.end(), is_on_earlier_line);
  std::vector<std::string> texts;
  for (const Error& warning : warnings_) texts.push_back(warning.to_string());
  return texts;
}

}  // namespace lathe::proto
