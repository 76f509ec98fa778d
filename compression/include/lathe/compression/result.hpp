// Errors as values, where what a user handed in (a model, a config_list, a data file) can be at fault.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace lathe::compression {

/// What is wrong, with the layer, file or entry at fault named in the sentence.
struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail("…");` inside a function that returns Result<T>.
[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace lathe::compression
