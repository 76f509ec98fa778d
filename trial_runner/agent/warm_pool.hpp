// The warm parents of this host: one for each command that starts one, which is one per experiment.
//
// A parent is started with the first trial that could use it. Trials are forked from it once it is ready; until then,
// and whenever it fails, they are started fresh. A parent that no running trial could use is let go after a short
// while. Loop thread only.
#pragma once

#include <signal.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "children.hpp"
#include "command.hpp"
#include "descriptor.hpp"
#include "warm_parent.hpp"

namespace lathe::agent {

class WarmPool {
 public:
  WarmPool(boost::asio::io_context& io, Children& children, std::string shell, spdlog::logger& log);
  ~WarmPool();
  WarmPool(const WarmPool&) = delete;
  WarmPool& operator=(const WarmPool&) = delete;

  /// A trial forked from the parent that the shell command `server` starts; nullopt: start it fresh. Either way the
  /// parent is kept until `trial_ended`.
  [[nodiscard]] std::optional<KeptProcess> start_trial(const std::string& server, const std::string& trial_id,
                                                       const Command& command, const Descriptor& exit_record);

  /// Ids that were never told are ignored.
  void trial_ended(const std::string& trial_id);

 private:
  struct Entry {
    explicit Entry(boost::asio::io_context& io) : idle_timer(io) {}

    std::optional<WarmParent> parent;
    std::set<std::string> trials;  ///< that run now
    int failures = 0;              ///< since a trial was forked last
    boost::asio::steady_timer idle_timer;
  };

  [[nodiscard]] Entry& entry_of(const std::string& server);
  void launch(const std::string& server, Entry& entry);
  void parent_ended(const siginfo_t& info);
  [[nodiscard]] bool make_room();
  void fail(Entry& entry, const std::string& what);
  void let_go_when_idle(const std::string& server, Entry& entry);

  boost::asio::io_context& io_;
  Children& children_;
  Descriptor own_program_;  ///< what keepers run; stays the same when the file is replaced
  std::string shell_;
  spdlog::logger& log_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace lathe::agent
