// How often and how long OpenPAI is asked.
#pragma once

#include <chrono>

namespace lathe::agent {

struct PaiTimes {
  std::chrono::milliseconds shortest_poll{2000};  ///< between two listings while something changes
  std::chrono::milliseconds longest_poll{15'000};
  std::chrono::milliseconds files{500};         ///< between two looks at what jobs leave in their folders
  std::chrono::milliseconds first_retry{2000};  ///< after PAI could not be asked; doubled up to the last
  std::chrono::milliseconds last_retry{30'000};
  std::chrono::milliseconds patience{30'000};          ///< with one request
  std::chrono::milliseconds file_patience{10'000};     ///< how long shared files may be late behind what PAI tells
  std::chrono::milliseconds absence_patience{60'000};  ///< how long PAI may not know a job before it is lost
};

}  // namespace lathe::agent
