#include "api/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace lathe::manager {

namespace asio = boost::asio;

struct FileWatch::State {
  asio::posix::stream_descriptor descriptor;
  std::weak_ptr<Waker> waker;
};

FileWatch::FileWatch(asio::any_io_executor loop, std::shared_ptr<Waker> waker)
    : state_(std::make_shared<State>(State{asio::posix::stream_descriptor(loop), waker})) {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return;
  state_->descriptor.assign(descriptor);
  wait(state_);
}

FileWatch::~FileWatch() {
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

void FileWatch::watch(const std::filesystem::path& file) {
  if (!state_->descriptor.is_open()) return;
  const int descriptor = state_->descriptor.native_handle();
  if (watch_ >= 0) ::inotify_rm_watch(descriptor, watch_);
  watch_ = ::inotify_add_watch(descriptor, file.c_str(), IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF);
}

void FileWatch::wait(const std::shared_ptr<State>& state) {
  state->descriptor.async_wait(asio::posix::descriptor_base::wait_read, [state](boost::system::error_code error) {
    if (error) return;
    std::array<char, 4096> events;
    while (::read(state->descriptor.native_handle(), events.data(), events.size()) > 0) {
    }
    if (const auto waker = state->waker.lock()) waker->wake();
    wait(state);
  });
}

}  // namespace lathe::manager
