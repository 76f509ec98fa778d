// A quiet moment for who measures time: while one trial of a host times models, no other computes.
//
// Two files in the host's folder are locked by flock, which the kernel drops when a process dies, however it dies:
//
//     quiet.room        shared by all who compute, taken alone by who measures
//     quiet.turnstile   passed on the way into the room; who waits to measure holds it, so that nobody new comes in
//
// Who computes gives way between two batches, so a measurer waits for one batch of each trial at most, and however many
// compute it is never kept out. Nobody waits for the turnstile while holding the room: there is no deadlock.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "result.hpp"

namespace lathe::trial {

/// Not thread-safe. Made by the process that computes: a fork would share its parent's locks.
class QuietHost {
 public:
  using Say = std::function<void(const std::string& line)>;

  /// Comes into the room, when nobody measures any more. No folder: there is nobody to be quiet for, and nothing is
  /// locked. `say` is told about waiting. Errors: files that cannot be made or locked.
  [[nodiscard]] static Result<QuietHost> enter(const std::optional<std::filesystem::path>& folder, Say say);
  ~QuietHost();
  QuietHost(QuietHost&&) noexcept;
  QuietHost& operator=(QuietHost&&) noexcept;

  /// Steps aside for who waits to measure; returns at once when nobody does.
  void give_way();

  /// Runs `measure` with nobody else in the room, and comes back into it.
  void alone(const std::function<void()>& measure);

  /// Whether there is a folder, so that `alone` means something.
  [[nodiscard]] bool is_shared() const { return files_ != nullptr; }

 private:
  struct Files;
  QuietHost(std::unique_ptr<Files> files, Say say);

  void come_in();

  std::unique_ptr<Files> files_;  ///< nullptr: nothing is locked
  Say say_;
};

}  // namespace lathe::trial
