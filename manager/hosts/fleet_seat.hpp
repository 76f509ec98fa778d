// The inside of a fleet: what it knows of a host.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hosts/fleet.hpp"

namespace lathe::manager {

/// A host and what is known of it.
struct Fleet::Seat {
  Seat(const boost::asio::any_io_executor& executor, HostSpec wanted, std::optional<std::int64_t> limit)
      : spec(std::move(wanted)), slots(limit), loss_timer(executor), refusal_timer(executor) {}

  [[nodiscard]] const std::string& id() const { return spec.id; }

  HostSpec spec;
  std::unique_ptr<Host> host;
  HostSlots slots;
  std::optional<proto::Hello> hello;  ///< while it is connected
  std::optional<proto::HostReport> report;
  std::string agent_state;  ///< state_id that `acks` counts for
  AckTracker acks;
  std::string trouble = "it has not been reached yet";
  bool retired = false;                      ///< nobody uses it any more, and its agent was told to end
  std::map<std::string, std::string> notes;  ///< by attempt
  boost::asio::steady_timer loss_timer;
  std::string refusal;  ///< why a start there failed a moment ago
  std::chrono::milliseconds refusal_pause{0};
  boost::asio::steady_timer refusal_timer;
};

}  // namespace lathe::manager
