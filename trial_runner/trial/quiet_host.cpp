#include "quiet_host.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace lathe::trial {
namespace {

/// A file that is there to be locked. The lock belongs to this opening of it.
class LockFile {
 public:
  explicit LockFile(const std::filesystem::path& path)
      : path_(path.string()), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail_with("cannot be opened");
  }
  ~LockFile() { ::close(descriptor_); }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  void share() { (void)lock(LOCK_SH); }
  void take() { (void)lock(LOCK_EX); }
  void release() { (void)lock(LOCK_UN); }
  [[nodiscard]] bool try_share() { return lock(LOCK_SH | LOCK_NB); }
  [[nodiscard]] bool try_take() { return lock(LOCK_EX | LOCK_NB); }

 private:
  /// False when it is not to wait and would have to.
  bool lock(int operation) {
    while (::flock(descriptor_, operation) != 0) {
      if (errno == EWOULDBLOCK) return false;
      if (errno != EINTR) fail_with("cannot be locked");
    }
    return true;
  }

  [[noreturn]] void fail_with(const char* what) const {
    throw std::runtime_error(fmt::format("{} {}: {}", path_, what, std::strerror(errno)));
  }

  std::string path_;
  int descriptor_;
};

}  // namespace

struct QuietHost::Files {
  explicit Files(const std::filesystem::path& folder)
      : turnstile(folder / "quiet.turnstile"), room(folder / "quiet.room") {}

  LockFile turnstile;
  LockFile room;
};

Result<QuietHost> QuietHost::enter(const std::optional<std::filesystem::path>& folder, Say say) {
  if (!folder) return QuietHost(nullptr, std::move(say));
  try {
    QuietHost host(std::make_unique<Files>(*folder), std::move(say));
    host.come_in();
    return host;
  } catch (const std::runtime_error& error) {
    return fail(error.what());
  }
}

QuietHost::QuietHost(std::unique_ptr<Files> files, Say say) : files_(std::move(files)), say_(std::move(say)) {}
QuietHost::~QuietHost() = default;
QuietHost::QuietHost(QuietHost&&) noexcept = default;
QuietHost& QuietHost::operator=(QuietHost&&) noexcept = default;

void QuietHost::come_in() {
  if (!files_->turnstile.try_share()) {
    say_("waiting: another trial on this host measures latency");
    files_->turnstile.share();
  }
  files_->room.share();
  files_->turnstile.release();
}

void QuietHost::give_way() {
  if (files_ == nullptr) return;
  if (files_->turnstile.try_share()) {
    files_->turnstile.release();
    return;
  }
  files_->room.release();
  come_in();
}

void QuietHost::alone(const std::function<void()>& measure) {
  if (files_ == nullptr) return measure();
  // Leaves the turnstile and stays in the room, whatever `measure` throws.
  struct Back {
    explicit Back(Files& all) : files(all) {}
    ~Back() {
      files.room.share();
      files.turnstile.release();
    }
    Files& files;
  };
  files_->room.release();
  if (!files_->turnstile.try_take()) {
    say_("waiting to measure latency");
    files_->turnstile.take();
  }
  const Back back(*files_);
  if (!files_->room.try_take()) {
    say_("waiting to measure latency until the other trials on this host give way");
    files_->room.take();
  }
  measure();
}

}  // namespace lathe::trial
