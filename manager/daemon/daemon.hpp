// The daemon as a whole: everything put together, started and ended in order.
#pragma once

#include "daemon/options.hpp"

namespace lathe::manager {

/// Exit codes of lathed.
enum class DaemonExit : int {
  Ok = 0,
  Failure = 1,  ///< anything else
  Usage = 2,    ///< a mistake in the command line
  PortInUse = 3,
  DataDirUnusable = 4,  ///< another lathed has it, or it cannot be written
  AccessUnsafe = 5,     ///< the token file, the certificate or its key cannot be used, or others can read it
};

/// Serves until SIGTERM or SIGINT; the second such signal ends the process at once. SIGHUP reads the certificate anew.
[[nodiscard]] DaemonExit run_daemon(const DaemonOptions& options);

}  // namespace lathe::manager
