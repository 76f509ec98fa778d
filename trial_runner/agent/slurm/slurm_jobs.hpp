// The Slurm jobs of this agent.
#pragma once

#include "numbered_jobs.hpp"
#include "slurm/slurm_job.hpp"

namespace lathe::agent {

using SlurmJobs = NumberedJobs<SlurmJob>;

}  // namespace lathe::agent
