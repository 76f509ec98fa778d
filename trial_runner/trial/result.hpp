// Errors of the trial program: the compression library's, to which those of the wire codecs are brought.
#pragma once

#include <string>

#include <lathe/compression/result.hpp>
#include <lathe/proto/result.hpp>

namespace lathe::trial {

using compression::Error;
using compression::fail;
using compression::Result;

/// A codec's error with the file it concerns.
[[nodiscard]] inline tl::unexpected<Error> fail_in(const std::string& file, const proto::Error& error) {
  return fail(file + ": " + error.to_string());
}

[[nodiscard]] inline tl::unexpected<Error> fail_in(const std::string& file, const proto::Errors& errors) {
  return fail(file + ": " + proto::to_string(errors));
}

}  // namespace lathe::trial
