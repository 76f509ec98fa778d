// How often and how long Slurm is asked.
#pragma once

#include <chrono>

namespace lathe::agent {

struct SlurmTimes {
  std::chrono::milliseconds gather{20};           ///< for further starts or cancellations to go into the same command
  std::chrono::milliseconds shortest_poll{1000};  ///< between two listings while something changes
  std::chrono::milliseconds longest_poll{10'000};
  std::chrono::milliseconds files{500};         ///< between two looks at what jobs leave in their folders
  std::chrono::milliseconds first_retry{2000};  ///< after Slurm could not be reached; doubled up to the last
  std::chrono::milliseconds last_retry{30'000};
  std::chrono::milliseconds patience{60'000};  ///< with one command of Slurm
};

}  // namespace lathe::agent
