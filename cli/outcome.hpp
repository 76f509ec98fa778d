// How a command ends: a value, or a failure that already knows its exit code and what to tell the user.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace lathe::cli {

/// What scripts may rely on.
enum class ExitCode {
  Ok = 0,
  Failed = 1,         ///< the daemon refused, or something on this side failed
  Usage = 2,          ///< the command line itself is wrong
  Unreachable = 3,    ///< no daemon answers
  NotDone = 4,        ///< waited for an experiment that did not end as DONE with a succeeded trial
  Interrupted = 130,  ///< Ctrl-C, as shells count it
};

/// Why a command could not do its work. `message` is ready for stderr: no trailing newline, already escaped.
struct Failure {
  ExitCode code = ExitCode::Failed;
  std::string message;
};

template <class T>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail(std::string message, ExitCode code = ExitCode::Failed) {
  return tl::unexpected<Failure>(Failure{code, std::move(message)});
}

/// Hands a failed outcome on as the failure of another type.
template <class T>
[[nodiscard]] tl::unexpected<Failure> pass_on(Outcome<T>& failed) {
  return tl::unexpected<Failure>(std::move(failed.error()));
}

}  // namespace lathe::cli
