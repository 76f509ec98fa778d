// Collects what is wrong with one input, so that its author hears of everything at once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <lathe/proto/result.hpp>

#include "value.hpp"

namespace lathe::proto {

class Problems {
 public:
  /// `file` is shown with every error; empty: the input is not a file.
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(const Value& at, std::string message);
  /// An error about a field that is not there: `missing` is its path, `near` the object that lacks it.
  void add_missing(const Value& near, const Path& missing, std::string message);
  /// `expected an integer >= 1, found "two"`.
  void add_mismatch(const Value& at, const std::string& expected);
  /// Errors of another file that this one names; they come behind its own.
  void append(Errors errors);
  void warn(const Value& at, std::string message);

  [[nodiscard]] bool empty() const { return errors_.empty() && appended_.empty(); }
  /// True when more errors are only counted, so that wording them is no use.
  [[nodiscard]] bool is_full() const;
  /// All errors in the order of their lines; beyond a limit a last one says that there are more.
  [[nodiscard]] Errors take_errors();
  [[nodiscard]] std::vector<std::string> take_warnings();

 private:
  void record(Errors& list, const Value& at, std::string field, std::string message);

  std::string file_;
  Errors errors_;
  Errors appended_;
  Errors warnings_;
  bool has_more_ = false;
};

}  // namespace lathe::proto
