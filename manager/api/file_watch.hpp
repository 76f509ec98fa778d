// Wakes a coroutine when a file is written to (inotify). Loop thread only.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "api/waker.hpp"

namespace lathe::manager {

/// Where inotify is exhausted or the file lies on a network share, nothing ever wakes: callers sleep with a time limit.
class FileWatch {
 public:
  FileWatch(boost::asio::any_io_executor loop, std::shared_ptr<Waker> waker);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// Watches this file from now on, and no other.
  void watch(const std::filesystem::path& file);

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
  int watch_ = -1;
};

}  // namespace lathe::manager
