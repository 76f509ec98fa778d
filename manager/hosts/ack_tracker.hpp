// Which of an agent's events may be acknowledged: an Ack covers everything before it, while experiments commit what
// concerns them at their own pace. Arithmetic only.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

namespace lathe::manager {

class AckTracker {
 public:
  /// An event arrived. False: it is a repeat of one that is still on its way into the database; drop it.
  [[nodiscard]] bool receive(std::uint64_t sequence);

  /// An event is committed (or concerns nobody).
  void commit(std::uint64_t sequence);

  /// The sequence number to acknowledge now; nullopt when there is nothing new to say.
  [[nodiscard]] std::optional<std::uint64_t> take_ack();

 private:
  std::set<std::uint64_t> open_;  ///< received, not committed
  std::uint64_t received_ = 0;    ///< highest received
  std::uint64_t said_ = 0;        ///< highest acknowledged
  bool repeat_ = false;           ///< an event came again although it was acknowledged: say so once more
};

}  // namespace lathe::manager
