#include "hosts/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../fake_agent.hpp"
#include "../loop.hpp"

namespace lathe::manager {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class FleetTest : public ::testing::Test {
 protected:
  FleetTest() { make({}); }

  void make(Fleet::Options options) {
    fleet_.reset();
    fleet_ = std::make_unique<Fleet>(
        loop_.context.get_executor(), [this](const HostSpec& spec) { return make_host(spec); }, options);
  }

  std::unique_ptr<Host> make_host(const HostSpec& spec) {
    auto& agent = agents_[spec.id];
    if (!agent) agent = std::make_shared<FakeAgent>();
    agent->state_id = "state-of-" + spec.id;
    auto host = std::make_unique<FakeHost>(loop_.context.get_executor(), agent, spec.id);
    hosts_[spec.id] = host.get();
    host->on_gone = [this, id = spec.id] { hosts_.erase(id); };
    return host;
  }

  void open(std::set<std::string> drained = {}) {
    fleet_->open(
        {
            [this](const std::string& host, const proto::Hello&) { heard_.push_back("connected " + host); },
            [this](const std::string& state, proto::SequencedEvent event) {
              heard_.push_back("event " + std::to_string(event.sequence) + " of " + state);
            },
            [this](const std::string& host, const std::string& why) { heard_.push_back(host + " away: " + why); },
            [this](const std::string& host, const std::string& why) { heard_.push_back(host + " lost: " + why); },
            [this](const std::string& trial, const std::string&) { heard_.push_back("not started " + trial); },
            [this] { ++rooms_; },
        },
        std::move(drained));
  }

  static HostSpec remote(const std::string& name, std::optional<std::int64_t> slots = std::nullopt) {
    HostSpec spec;
    spec.kind = HostSpec::Kind::Remote;
    spec.id = name;
    spec.address = proto::SshAddress{};
    spec.address->host = name;
    spec.address->password = proto::Secret("hunter2");
    spec.slots = slots;
    return spec;
  }

  void report_gpus(const std::string& host, std::int64_t count, proto::GpuProcess process = {}) {
    proto::HostReport report;
    for (std::int64_t index = 0; index < count; ++index) {
      proto::Gpu gpu;
      gpu.index = index;
      if (process.pid != 0) gpu.processes = {process};
      report.gpus.push_back(gpu);
    }
    hosts_.at(host)->report(report);
  }

  bool until_connected(const std::string& host) {
    return loop_.until([&] { return fleet_->hello(host) != nullptr; });
  }
  bool until_heard(const std::string& text) {
    return loop_.until([&] { return std::find(heard_.begin(), heard_.end(), text) != heard_.end(); });
  }
  std::vector<std::string> places(const std::string& experiment, std::int64_t most) {
    std::vector<std::string> hosts;
    for (const Place& place : fleet_->offer(experiment, most).places) hosts.push_back(place.host);
    return hosts;
  }
  std::string reason(const std::string& experiment) { return fleet_->offer(experiment, 1).reason; }

  Loop loop_;
  std::map<std::string, std::shared_ptr<FakeAgent>> agents_;
  std::map<std::string, FakeHost*> hosts_;
  std::unique_ptr<Fleet> fleet_;
  std::vector<std::string> heard_;
  int rooms_ = 0;
};

// ---- connections ----

TEST_F(FleetTest, ConnectsToThisMachineByItselfAndOnlyOnce) {
  open();
  ASSERT_TRUE(until_connected("local"));
  EXPECT_THAT(heard_, ElementsAre("connected local"));
  EXPECT_THAT(fleet_->connected(), ElementsAre("local"));
}

TEST_F(FleetTest, KeepsAHostForAsLongAsSomebodyUsesIt) {
  open();
  fleet_->enlist("e1", {remote("a"), remote("b")}, {});
  fleet_->enlist("e2", {remote("b")}, {});
  ASSERT_TRUE(until_connected("a") && until_connected("b"));
  fleet_->dismiss("e1");
  EXPECT_FALSE(fleet_->status("a"));
  EXPECT_TRUE(loop_.until([&] { return !hosts_.contains("a"); })) << "its agent has ended, and so has the connection";
  EXPECT_TRUE(hosts_.contains("b"));
  fleet_->dismiss("e2");
  EXPECT_TRUE(loop_.until([&] { return !hosts_.contains("b"); }));
  EXPECT_TRUE(hosts_.contains("local"));
  EXPECT_EQ(agents_["a"]->shutdowns, 1);
}

TEST_F(FleetTest, AnAgentWhoseTrialsAreLeftToTheNextDaemonIsNotEnded) {
  open();
  fleet_->enlist("e1", {remote("a")}, {});
  ASSERT_TRUE(until_connected("a"));
  fleet_->claim("e1", {{"a", {1, {}}}}, 1);
  fleet_->dismiss("e1");
  EXPECT_FALSE(hosts_.contains("a"));
  EXPECT_EQ(agents_["a"]->shutdowns, 0);
}

TEST_F(FleetTest, EventsAreAcknowledgedOnceTheyAreCommitted) {
  open();
  fleet_->enlist("e1", {remote("a")}, {});
  ASSERT_TRUE(until_connected("a"));
  agents_["a"]->emit(proto::TrialStarted{"e1/t/0", 1, 1});
  ASSERT_TRUE(until_heard("event 1 of state-of-a"));
  EXPECT_THAT(agents_["a"]->spool, SizeIs(1));
  fleet_->commit("state-of-a", 1);
  EXPECT_TRUE(loop_.until([&] { return agents_["a"]->spool.empty(); }));
}

TEST_F(FleetTest, SaysWhyAHostIsAway) {
  agents_["a"] = std::make_shared<FakeAgent>();
  agents_["a"]->reachable = false;
  open();
  fleet_->enlist("e1", {remote("a")}, {});
  EXPECT_EQ(reason("e1"), "agent on a is not connected: it has not been reached yet");
  ASSERT_TRUE(until_heard("a away: nobody there"));
  EXPECT_EQ(reason("e1"), "agent on a is not connected: nobody there");
}

// ---- loss ----

TEST_F(FleetTest, AHostThatStaysAwayIsLost) {
  Fleet::Options options;
  options.lost_after = milliseconds(30);
  make(options);
  open();
  fleet_->enlist("e1", {remote("a")}, {});
  ASSERT_TRUE(until_connected("a"));
  hosts_.at("a")->disconnect("cable pulled");
  ASSERT_TRUE(until_heard("a lost: cable pulled"));
}

TEST_F(FleetTest, AHostThatComesBackInTimeIsNot) {
  Fleet::Options options;
  options.lost_after = milliseconds(60);
  make(options);
  open();
  fleet_->enlist("e1", {remote("a"), remote("b")}, {});
  ASSERT_TRUE(until_connected("a") && until_connected("b"));
  hosts_.at("a")->disconnect("blink");
  hosts_.at("a")->connect();
  // One that is pulled later is lost, by when the first one would have been, too.
  hosts_.at("b")->disconnect("gone");
  ASSERT_TRUE(until_heard("b lost: gone"));
  EXPECT_THAT(heard_, Not(Contains("a lost: blink")));
}

TEST_F(FleetTest, AMachineThatSubmitsJobsIsLostAsLongAsItIsAway) {
  Fleet::Options options;
  options.lost_after = milliseconds(5);
  make(options);
  open();
  HostSpec login = remote("login");
  login.kind = HostSpec::Kind::Slurm;
  fleet_->enlist("e1", {login}, {});
  ASSERT_TRUE(until_connected("login"));
  hosts_.at("login")->disconnect("rebooted");
  ASSERT_TRUE(loop_.until([&] { return std::count(heard_.begin(), heard_.end(), "login lost: rebooted") == 3; }));
}

TEST_F(FleetTest, ThisMachineIsNeverLost) {
  Fleet::Options options;
  options.lost_after = milliseconds(1);
  make(options);
  open();
  fleet_->enlist("e1", {HostSpec{}, remote("a")}, {});
  ASSERT_TRUE(until_connected("local") && until_connected("a"));
  hosts_.at("local")->disconnect("killed");
  hosts_.at("a")->disconnect("killed");
  ASSERT_TRUE(until_heard("a lost: killed"));
  EXPECT_THAT(heard_, Not(Contains("local lost: killed")));
}

// ---- draining ----

TEST_F(FleetTest, ADrainedHostGetsNothingNewUntilItIsResumed) {
  open({"a"});
  fleet_->enlist("e1", {remote("a")}, {});
  ASSERT_TRUE(until_connected("a"));
  EXPECT_EQ(reason("e1"), "a is drained: lathectl host resume a");
  fleet_->drain("a", false);
  EXPECT_EQ(rooms_, 1);
  EXPECT_THAT(places("e1", 1), ElementsAre("a"));
  fleet_->drain("a", true);
  EXPECT_THAT(places("e1", 1), IsEmpty());
  fleet_->dismiss("e1");
  ASSERT_TRUE(loop_.until([&] { return !hosts_.contains("a"); }));
  fleet_->enlist("e2", {remote("a")}, {});
  ASSERT_TRUE(until_connected("a"));
  EXPECT_THAT(places("e2", 1), IsEmpty()) << "it stays so, whoever comes";
}

// ---- what cannot be started ----

TEST_F(FleetTest, AHostThatCannotTakeATrialIsLeftAloneForAWhile) {
  Fleet::Options options;
  options.refusal_pause = milliseconds(20);
  make(options);
  open();
  fleet_->enlist("e1", {remote("a"), remote("b")}, {});
  ASSERT_TRUE(until_connected("a") && until_connected("b"));
  agents_["a"]->refusal = "the disk of a is full";
  Launch launch;
  launch.start.trial_id = "e1/t/0";
  fleet_->start("a", launch);
  ASSERT_TRUE(until_heard("not started e1/t/0"));
  EXPECT_THAT(places("e1", 2), ElementsAre("b", "b"));
  fleet_->drain("b", true);
  EXPECT_THAT(reason("e1"), HasSubstr("the disk of a is full"));
  rooms_ = 0;
  ASSERT_TRUE(loop_.until([&] { return rooms_ > 0; }));
  EXPECT_THAT(places("e1", 1), ElementsAre("a")) << "it is tried again";
}

// ---- slots and GPUs ----

TEST_F(FleetTest, ExperimentsShareTheSlotsOfAHost) {
  open();
  fleet_->enlist("e1", {remote("a", 4)}, {});
  fleet_->enlist("e2", {remote("a", 4)}, {});
  ASSERT_TRUE(until_connected("a"));
  fleet_->claim("e1", {{"a", {4, {}}}}, 10);
  fleet_->claim("e2", {}, 10);
  EXPECT_EQ(reason("e2"), "all 4 trial slots of a are in use");
  rooms_ = 0;
  fleet_->claim("e1", {{"a", {3, {}}}}, 10);
  EXPECT_EQ(rooms_, 1) << "somebody is told that there is room";
  EXPECT_THAT(places("e1", 5), IsEmpty()) << "it has more than its part";
  EXPECT_THAT(places("e2", 5), ElementsAre("a"));
}

TEST_F(FleetTest, AGpuThatATrialHoldsIsGivenToNobodyElse) {
  open();
  fleet_->enlist("e1", {remote("a")}, 1);
  fleet_->enlist("e2", {remote("a")}, 1);
  ASSERT_TRUE(until_connected("a"));
  EXPECT_EQ(reason("e1"), "a has not told of its GPUs yet");
  report_gpus("a", 2);
  fleet_->claim("e1", {{"a", {1, {0}}}}, 1);
  const Offer offer = fleet_->offer("e2", 5);
  EXPECT_THAT(offer.places, ElementsAre(Place{"a", {1}}));
  EXPECT_THAT(offer.reason, HasSubstr("GPU 0 has a trial"));
}

TEST_F(FleetTest, TellsWhoElseUsesAGpu) {
  open();
  fleet_->enlist("e1", {remote("a")}, 1);
  ASSERT_TRUE(until_connected("a"));
  report_gpus("a", 1, {4711, "python", "ana", ""});
  EXPECT_EQ(reason("e1"), "a: GPU 0 is used by pid 4711 (python) of ana");
  report_gpus("a", 1, {4711, "python", "ana", "e0/t/0"});
  EXPECT_THAT(places("e1", 1), ElementsAre("a")) << "a process of a trial of ours is no stranger";
}

TEST_F(FleetTest, ASmallDemandPassesALargeOneButDoesNotStarveIt) {
  Fleet::Options options;
  options.patience = milliseconds(0);
  make(options);
  open();
  fleet_->enlist("large", {remote("a"), remote("b")}, 4);
  fleet_->enlist("small", {remote("a"), remote("b")}, 1);
  fleet_->enlist("none", {remote("a"), remote("b")}, 0);
  ASSERT_TRUE(until_connected("a") && until_connected("b"));
  report_gpus("a", 4);
  report_gpus("b", 2);
  fleet_->claim("small", {{"a", {1, {0}}}}, 100);
  EXPECT_THAT(fleet_->offer("small", 1).places, ElementsAre(Place{"b", {0}})) << "nobody waits for anything yet";
  EXPECT_THAT(places("large", 1), IsEmpty());
  // From here on the one host that can ever be enough is being emptied; the other one is anybody's.
  EXPECT_THAT(places("small", 9), ElementsAre("b", "b"));
  EXPECT_THAT(reason("small").append(fleet_->offer("small", 3).reason),
              HasSubstr("a is being emptied for experiment large, whose trials need 4 GPUs"));
  EXPECT_THAT(places("none", 2), SizeIs(2)) << "who wants no GPU is in nobody's way";
  fleet_->claim("small", {}, 100);
  EXPECT_THAT(fleet_->offer("large", 1).places, ElementsAre(Place{"a", {0, 1, 2, 3}}));
  fleet_->claim("large", {{"a", {1, {0, 1, 2, 3}}}}, 1);
  EXPECT_THAT(places("small", 9), ElementsAre("b", "b"));
}

TEST_F(FleetTest, UntilItsPatienceIsOverALargeDemandIsPassed) {
  Fleet::Options options;
  options.patience = std::chrono::hours(1);
  make(options);
  open();
  fleet_->enlist("large", {remote("a")}, 4);
  fleet_->enlist("small", {remote("a")}, 1);
  ASSERT_TRUE(until_connected("a"));
  report_gpus("a", 4);
  fleet_->claim("small", {{"a", {1, {0}}}}, 100);
  EXPECT_THAT(places("large", 1), IsEmpty());
  EXPECT_THAT(places("small", 9), SizeIs(3));
}

// ---- what people are told ----

TEST_F(FleetTest, StatusHasEverythingButSecrets) {
  open();
  fleet_->enlist("e1", {remote("a", 2)}, {});
  ASSERT_TRUE(until_connected("a"));
  report_gpus("a", 1);
  hosts_.at("a")->note({"e1/t/0", "its job is PENDING (Priority)"});
  fleet_->claim("e1", {{"a", {1, {}}}}, 1);
  const auto all = fleet_->status();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].spec.id, "a");
  EXPECT_TRUE(all[0].connected);
  EXPECT_EQ(all[0].report->gpus.size(), 1u);
  EXPECT_EQ(all[0].trials.at("e1"), 1);
  EXPECT_TRUE(all[0].spec.address->password.empty());
  EXPECT_EQ(fleet_->note("a", "e1/t/0"), "its job is PENDING (Priority)");
  EXPECT_EQ(fleet_->note("a", "e1/u/0"), "");
}

}  // namespace
}  // namespace lathe::manager
