// The one thread that writes to the database. What is queued while a commit is under way goes into the next commit
// together (group commit), so that one fsync serves many trials.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/error.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

class WriteQueue {
 public:
  /// Changes rows; throws to be undone. May run more than once (when another job of the group fills the disk), so it
  /// must not have effects outside of the database.
  using Job = std::function<void(Connection&)>;
  /// Called on the storage thread, after the commit; must not throw.
  using Done = std::function<void(StorageResult<void>)>;

  explicit WriteQueue(std::unique_ptr<Connection> connection);
  /// Commits everything queued, then ends the thread.
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  /// From any thread. A job that fails takes no other down.
  void push(Job job, Done done);

  /// Commits so far; with many jobs queued at once there are fewer commits than jobs.
  [[nodiscard]] std::uint64_t commits() const;

 private:
  struct Entry {
    Job job;
    Done done;
    StorageResult<void> result;
  };

  void run();
  void commit_group(std::vector<Entry>& group);
  bool try_group(std::vector<Entry*>& group);
  bool try_entry(Entry& entry);

  std::unique_ptr<Connection> connection_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Entry> queue_;
  bool closing_ = false;
  std::uint64_t commits_ = 0;
  std::thread thread_;
};

}  // namespace lathe::manager
