// What the agent tells, put into a turn. Pure edits; nothing is sent from here.
#pragma once

#include <string>

#include <lathe/proto/frames.hpp>

#include "experiment/turn.hpp"

namespace lathe::manager {

/// An event of the agent with that state_id. One that is part of the state already, or concerns an attempt of the past,
/// changes nothing.
void take_event(Turn& turn, const std::string& state_id, const proto::SequencedEvent& event);

/// The agent of a host greeted: what should run there and does not is started again (the agent ignores what it knows),
/// what was told to an agent that is no more runs again as the next attempt, and ends that were wanted are asked for
/// again.
void take_greeting(Turn& turn, const Station& station, const std::filesystem::path& trial_program);

/// The host is given up: what ran there is lost, and runs again elsewhere as far as maxRetries allows. Where jobs
/// outlive the machine that has submitted them, only trials whose end is wanted are given up.
void take_loss(Turn& turn, const std::string& host, const std::string& why, bool is_outlived);

/// The attempt never began, since what it needs could not be brought to its host. That is no fault of the trial's: it
/// waits for a host again, as often as it takes.
void take_failed_start(Turn& turn, const std::string& attempt, const std::string& why);

}  // namespace lathe::manager
