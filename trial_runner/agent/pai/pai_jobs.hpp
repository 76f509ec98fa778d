// The jobs of one PAI.
#pragma once

#include "numbered_jobs.hpp"
#include "pai/pai_job.hpp"

namespace lathe::agent {

using PaiJobs = NumberedJobs<PaiJob>;

}  // namespace lathe::agent
