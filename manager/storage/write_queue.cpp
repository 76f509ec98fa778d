#include "storage/write_queue.hpp"

#include <utility>

namespace lathe::manager {

WriteQueue::WriteQueue(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), thread_([this] { run(); }) {}

WriteQueue::~WriteQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void WriteQueue::push(Job job, Done done) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(job), std::move(done), {}});
  }
  arrived_.notify_one();
}

std::uint64_t WriteQueue::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

void WriteQueue::run() {
  for (;;) {
    std::vector<Entry> group;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      group.swap(queue_);
    }
    commit_group(group);
    for (Entry& entry : group) entry.done(std::move(entry.result));
  }
}

/// One transaction for all; what made SQLite give the whole transaction up is left out and the rest tried again. When
/// only the commit itself fails, each job gets a transaction of its own, so that the small ones may still fit.
void WriteQueue::commit_group(std::vector<Entry>& group) {
  std::vector<Entry*> entries;
  for (Entry& entry : group) entries.push_back(&entry);
  if (try_group(entries)) return;
  for (Entry* entry : entries) {
    std::vector<Entry*> alone{entry};
    try_group(alone);
  }
}

/// False: nothing was committed; the entries that failed by themselves are no longer in `group`.
bool WriteQueue::try_group(std::vector<Entry*>& group) {
  try {
    Transaction transaction(*connection_);
    for (auto entry = group.begin(); entry != group.end();) {
      if (try_entry(**entry)) {
        ++entry;
        continue;
      }
      entry = group.erase(entry);
      if (connection_->in_autocommit()) return false;
    }
    transaction.commit();
  } catch (const SqliteError&) {
    for (Entry* entry : group) entry->result = tl::unexpected(current_storage_error());
    return false;
  }
  const std::lock_guard lock(mutex_);
  ++commits_;
  return true;
}

bool WriteQueue::try_entry(Entry& entry) {
  try {
    connection_->execute("SAVEPOINT job");
    entry.job(*connection_);
    connection_->execute("RELEASE job");
    entry.result = {};
    return true;
  } catch (...) {
    entry.result = tl::unexpected(current_storage_error());
  }
  if (!connection_->in_autocommit()) connection_->execute("ROLLBACK TO job; RELEASE job");
  return false;
}

}  // namespace lathe::manager
