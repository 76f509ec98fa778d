// Errors as values, for every border where bad input is ordinary: configs, frames, files, requests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace lathe::proto {

/// One thing that is wrong with an input, told so that its author can mend it without reading our code.
struct Error {
  std::string message;  ///< what is wrong, what was found and what was expected, in one sentence
  std::string field;    ///< dotted path of the field at fault, e.g. `tuner.classArgs.seed`; empty: the whole input
  std::string file;     ///< file the input came from; empty: a request body, or no file
  int line = 0;         ///< 1-based line in `file`; 0: unknown

  /// `file:line: field: message`, leaving out what is unknown.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Error&, const Error&) = default;
};

/// Every error of an input, in the order of its lines; never empty inside a failed result.
using Errors = std::vector<Error>;

/// One error a line.
[[nodiscard]] std::string to_string(const Errors& errors);

/// A value or the one reason why there is none.
template <class T>
using Result = tl::expected<T, Error>;

/// A value or all the reasons why there is none; for inputs that people write by hand.
template <class T>
using Checked = tl::expected<T, Errors>;

/// `return fail("…");` inside a function that returns Result<T>.
[[nodiscard]] inline tl::unexpected<Error> fail(std::string message, std::string field = {}) {
  return tl::unexpected<Error>(Error{std::move(message), std::move(field), {}, 0});
}

}  // namespace lathe::proto
