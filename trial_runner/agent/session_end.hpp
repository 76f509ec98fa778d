// Ending what a keeper that was killed has left behind: nobody else would.
#pragma once

#include "process_stat.hpp"

namespace lathe::agent {

/// SIGKILL to every living member of the session that `leader`, itself dead, has led. A process counts as part of it
/// only while start time, boot and session say so: ids come back. False: there is none any more.
bool kill_session(const ProcessIdentity& leader);

}  // namespace lathe::agent
