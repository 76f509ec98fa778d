// How often to look at something that cannot tell by itself: often while there is news, less and less when there is
// none.
#pragma once

#include <algorithm>
#include <chrono>

namespace lathe::agent {

class PollPace {
 public:
  PollPace(std::chrono::milliseconds least, std::chrono::milliseconds most)
      : least_(least), most_(most), wait_(least) {}

  /// How long to wait now.
  [[nodiscard]] std::chrono::milliseconds wait() const { return wait_; }
  void news() { wait_ = least_; }
  void no_news() { wait_ = std::min(most_, wait_ + wait_ / 4 + std::chrono::milliseconds(1)); }

 private:
  std::chrono::milliseconds least_;
  std::chrono::milliseconds most_;
  std::chrono::milliseconds wait_;
};

}  // namespace lathe::agent
