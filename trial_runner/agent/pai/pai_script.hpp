// The shell script that a job's container runs. It lies in the trial's folder; every path in it is the container's.
#pragma once

#include <map>
#include <string>

#include "pai/mount_map.hpp"

namespace lathe::agent {

struct PaiScript {
  std::string trial_id;
  MountMap mount;
  std::string folder;  ///< of the trial
  std::string working_directory;
  std::map<std::string, std::string> environment;  ///< names and values without NUL, no '=' in a name
  std::string command;
};

/// Takes the job's name as its argument, claims the trial (pai_claim.hpp), sends the command's streams into the trial's
/// folder, ends its processes when the agent asks for it, and leaves its exit status as its last act.
[[nodiscard]] std::string render(const PaiScript& script);

}  // namespace lathe::agent
