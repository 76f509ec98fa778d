// A machine behind ssh, with programs in the places of ssh and of the agent that do what a test tells them by files.
#include "hosts/ssh/remote_host.hpp"

#include <stdlib.h>

#include <csignal>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../loop.hpp"
#include "../temp_folder.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Notes what it hears in `heard`; tells the frames of the files `tell-N`, in order, as they appear.
constexpr const char* kAgent = R"(#!/usr/bin/env python3
import json, os, select, struct, sys, time
folder = os.environ["LATHE_TEST_FOLDER"] + "/"
def send(message, more=b""):
    text = json.dumps(message).encode()
    os.write(1, struct.pack(">I", len(text)) + text + more)
def take(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data
def receive():
    return json.loads(take(struct.unpack(">I", take(4))[0]))
def note(line):
    with open(folder + "heard", "a") as file:
        file.write(line + "\n")
def there(name):
    return os.path.exists(folder + name)
def taken(name):
    try:
        os.remove(folder + name)
        return True
    except FileNotFoundError:
        return False
def files():
    while True:
        message = receive()
        kind = message["type"]
        if kind == "store":
            send({"type": "missing", "hashes": message["hashes"]})
        elif kind == "blob":
            take(message["size"])
        elif kind == "place":
            while there("hold"):
                time.sleep(0.01)
            note("place")
            send({"type": "failed", "why": "no space"} if there("full") else {"type": "done"})
        elif kind == "list":
            send({"type": "listing", "folders": json.load(open(folder + "listing"))} if there("listing") else {"type": "done"})
        elif kind == "remove":
            note("remove " + " ".join(message["folders"]))
            send({"type": "done"})
        elif kind == "prune":
            note("prune")
            send({"type": "done"})
        elif kind == "fetch":
            while there("hold"):
                time.sleep(0.01)
            if there("nonsense"):
                send({"type": "file", "path": 5})
            note("fetch " + os.path.basename(message["folder"]))
            if taken("fall"):
                open(folder + "leave", "w").close()
                sys.exit(1)
            if taken("break"):
                sys.exit(1)
            send({"type": "file", "path": "stdout", "size": 3, "mode": 420}, b"hi\n")
            send({"type": "done"})
def attach():
    send({"type": "hello", "protocol": 2, "version": "1", "host": "a", "pid": 1, "state_id": "s", "last_sequence": 0,
          "running": [], "root": "/far/root", "trial_program": ""})
    told = 0
    while True:
        if taken("leave"):
            sys.exit(0)
        if select.select([0], [], [], 0.01)[0]:
            message = receive()
            note(message["type"] + " " + message.get("trial_id", ""))
        if there("tell-%d" % told):
            send(json.load(open(folder + "tell-%d" % told)))
            told += 1
files() if "--files" in sys.argv else attach()
)";

class RemoteHostTest : public ::testing::Test {
 protected:
  RemoteHostTest() : path_before_(::getenv("PATH")) {
    std::signal(SIGPIPE, SIG_IGN);  // as lathed does
    fs::create_directories(folder_.path() / "bin");
    ::setenv("PATH", ((folder_.path() / "bin").string() + ":" + path_before_).c_str(), 1);
    ::setenv("LATHE_HOME", (folder_.path() / "home").c_str(), 1);
    ::setenv("LATHE_TEST_FOLDER", folder_.path().c_str(), 1);
    write("bin/ssh", "#!/bin/sh\nfor last; do :; done; exec sh -c \"$last\"\n");
    write("bin/lathe-agent", kAgent);
    for (const char* name : {"bin/ssh", "bin/lathe-agent"})
      fs::permissions(folder_.path() / name, fs::perms::owner_all);
    write("listing", "[]");
    open();
  }
  ~RemoteHostTest() override {
    host_.reset();
    ::setenv("PATH", path_before_.c_str(), 1);
    ::unsetenv("LATHE_HOME");
    ::unsetenv("LATHE_TEST_FOLDER");
  }

  void open() {
    proto::SshAddress address;
    address.host = "a.lan";
    const auto secrets = SecretStore::open(folder_.path() / "secrets");
    auto machine =
        SshMachine::make(address, folder_.path() / "bin/lathe-agent", folder_.path() / "data", "d1", *secrets, {});
    ASSERT_TRUE(machine) << machine.error().message;
    host_ = std::make_unique<RemoteHost>(
        loop_.context.get_executor(),
        RemoteHostOptions{std::make_shared<const SshMachine>(std::move(*machine)),
                          [this](const std::string& attempt) {
                            const std::string name = attempt.substr(attempt.find('/') + 1, 1);
                            return RemoteHostOptions::Folders{"trials/" + name, folder_.path() / "fetched" / name};
                          },
                          [this](const std::string& attempt) { return !given_up_.contains(attempt); },
                          [this](const std::string& folder) { return needed_.contains(folder); }});
    host_->open({
        [this](const proto::Hello&) { told_.push_back("hello"); },
        [this](proto::SequencedEvent event) { told_.push_back("event " + std::to_string(event.sequence)); },
        {},
        [this](const std::string& why) { told_.push_back("away: " + why); },
        [this](const std::string& trial, const std::string& why) { told_.push_back(trial + ": " + why); },
        {},
    });
    ASSERT_TRUE(until_told(1));
    ASSERT_EQ(told_.at(0), "hello");
    told_.clear();
  }

  /// What the host hears but what there is to do with each connection.
  std::vector<std::string> heard() const {
    std::vector<std::string> lines = all_heard();
    std::erase(lines, "prune");
    return lines;
  }

  void write(const std::string& name, const std::string& text) {
    const fs::path path = folder_.path() / name;
    std::ofstream(path.string() + ".new") << text;
    fs::rename(path.string() + ".new", path);
  }
  void remove(const std::string& name) { fs::remove(folder_.path() / name); }

  void tell(const proto::FromAgent& message) { write("tell-" + std::to_string(tells_++), proto::encode_json(message)); }
  static proto::TrialExited exited(const std::string& trial) {
    proto::TrialExited event;
    event.trial_id = trial;
    event.exit_code = 0;
    return event;
  }

  void start(const std::string& trial) {
    Launch launch;
    launch.start.trial_id = trial;
    launch.inputs = {{TrialInput::Kind::Text, {}, "text of " + trial, "/far/root/" + trial}};
    host_->start(std::move(launch));
  }

  bool until_told(std::size_t count) {
    return loop_.until([&] { return told_.size() >= count; });
  }
  std::vector<std::string> all_heard() const {
    std::ifstream file(folder_.path() / "heard");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  bool until_heard(std::size_t count) {
    return loop_.until([&] { return heard().size() >= count; });
  }

  TempFolder folder_;
  std::string path_before_;
  Loop loop_;
  std::unique_ptr<RemoteHost> host_;
  std::vector<std::string> told_;
  std::set<std::string> given_up_;
  std::set<std::string> needed_;
  int tells_ = 0;
};

TEST_F(RemoteHostTest, ATrialStartsOnceItsFilesAreThere) {
  start("e/t/0");
  ASSERT_TRUE(until_heard(2));
  EXPECT_THAT(heard(), ElementsAre("place", "start_trial e/t/0"));
}

TEST_F(RemoteHostTest, WhatLiesThereIsNotPlacedAgain) {
  for (int i = 0; i < 2; ++i) start("e/t/0");
  ASSERT_TRUE(until_heard(3));
  EXPECT_THAT(heard(), ElementsAre("place", "start_trial e/t/0", "start_trial e/t/0"));
}

TEST_F(RemoteHostTest, AKillWaitsForTheStartThatItIsAbout) {
  write("hold", "");
  start("e/t/0");
  host_->send(proto::KillTrial{"e/t/0", "user", 1});
  host_->send(proto::KillTrial{"e/u/0", "user", 1});
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(heard(), ElementsAre("kill_trial e/u/0"));
  remove("hold");
  ASSERT_TRUE(until_heard(4));
  EXPECT_THAT(heard(), ElementsAre("kill_trial e/u/0", "place", "start_trial e/t/0", "kill_trial e/t/0"));
}

TEST_F(RemoteHostTest, AnEndIsToldWhenItsFilesAreHereAndNothingOvertakesIt) {
  write("hold", "");
  tell(proto::SequencedEvent{1, exited("e/t/0")});
  tell(proto::SequencedEvent{2, proto::TrialStarted{"e/u/0", 1, 1}});
  tell(proto::SequencedEvent{3, proto::TrialStarted{"f/v/0", 1, 1}});
  host_->send(proto::KillTrial{"e/x/0", "user", 1});
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(told_, IsEmpty()) << "an Ack of a later one would cover it, whatever experiment it is of";
  EXPECT_FALSE(fs::exists(folder_.path() / "fetched/t/stdout"));
  remove("hold");
  ASSERT_TRUE(until_told(3));
  EXPECT_THAT(told_, ElementsAre("event 1", "event 2", "event 3"));
  EXPECT_TRUE(fs::exists(folder_.path() / "fetched/t/stdout"));
}

TEST_F(RemoteHostTest, FilesAreAskedForAgainWhenTheirSessionBreaks) {
  write("break", "");
  tell(proto::SequencedEvent{1, exited("e/t/0")});
  ASSERT_TRUE(until_told(1));
  EXPECT_THAT(heard(), ElementsAre("fetch t", "fetch t"));
  EXPECT_TRUE(fs::exists(folder_.path() / "fetched/t/stdout"));
}

TEST_F(RemoteHostTest, AnEndWhoseFilesBreakOffWithTheConnectionIsToldByTheNextOne) {
  write("fall", "");  // the files' session is the first to go
  tell(proto::SequencedEvent{1, exited("e/t/0")});
  ASSERT_TRUE(until_told(3));
  EXPECT_THAT(told_, ElementsAre(::testing::StartsWith("away"), "hello", "event 1"));
  EXPECT_TRUE(fs::exists(folder_.path() / "fetched/t/stdout"));
}

TEST_F(RemoteHostTest, FilesOfAnAttemptThatWasGivenUpStayThere) {
  given_up_ = {"e/t/0"};
  tell(proto::SequencedEvent{1, exited("e/t/0")});
  tell(proto::SequencedEvent{2, exited("e/u/0")});
  ASSERT_TRUE(until_told(2));
  EXPECT_THAT(told_, ElementsAre("event 1", "event 2"));
  EXPECT_THAT(heard(), ElementsAre("fetch u"));
  EXPECT_FALSE(fs::exists(folder_.path() / "fetched/t"));
}

TEST_F(RemoteHostTest, WhatCannotBePlacedIsNotStarted) {
  write("full", "");
  start("e/t/0");
  ASSERT_TRUE(until_told(1));
  EXPECT_EQ(told_[0], "e/t/0: its files cannot be sent to a.lan: no space");
  remove("full");
  start("e/t/1");
  ASSERT_TRUE(until_heard(3));
  EXPECT_THAT(heard(), ElementsAre("place", "place", "start_trial e/t/1"));
}

TEST_F(RemoteHostTest, NonsenseFromTheOtherEndHarmsNobody) {
  write("nonsense", "");
  tell(proto::SequencedEvent{1, exited("e/t/0")});
  ASSERT_TRUE(until_told(1)) << "without its files the result still counts";
  remove("nonsense");
  tell(proto::SequencedEvent{2, exited("e/u/0")});
  ASSERT_TRUE(until_told(2));
  EXPECT_TRUE(fs::exists(folder_.path() / "fetched/u/stdout"));
}

TEST_F(RemoteHostTest, AnAttemptThatWasGivenUpIsNotFetched) {
  given_up_.insert("e/u/0");
  tell(proto::SequencedEvent{1, exited("e/u/0")});
  ASSERT_TRUE(until_told(1));
  EXPECT_FALSE(fs::exists(folder_.path() / "fetched/u")) << "what runs elsewhere by now must not be written over";
}

TEST_F(RemoteHostTest, WhatAnEndLeavesGoesOnceTheEndIsAcknowledged) {
  write("listing", R"(["trials/t", "trials/v", "trials/w"])");
  needed_ = {"trials/t", "trials/v", "trials/w"};
  start("e/t/0");
  start("e/v/0");
  tell(proto::SequencedEvent{1, exited("e/t/0")});
  ASSERT_TRUE(until_told(1));
  ASSERT_TRUE(until_heard(5));
  EXPECT_THAT(heard(), testing::Contains("fetch t"));
  needed_ = {"trials/w"};
  host_->send(proto::Ack{1});
  ASSERT_TRUE(until_heard(7));
  EXPECT_EQ(heard().back(), "remove trials/t") << "what runs stays, whatever is said of it";
}

TEST_F(RemoteHostTest, RetiringTidiesUpFirst) {
  ASSERT_TRUE(loop_.until([&] { return !all_heard().empty(); })) << "each connection begins with a look";
  write("listing", R"(["trials/t"])");
  host_->retire();
  ASSERT_TRUE(until_heard(2));
  EXPECT_THAT(heard(), ElementsAre("remove trials/t", "shutdown "));
}

TEST_F(RemoteHostTest, RetiringEndsTheAgentThoughItCannotTidyUp) {
  remove("listing");
  host_->retire();
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(heard(), ElementsAre("shutdown "));
}

TEST_F(RemoteHostTest, IsSilentOnceItIsClosed) {
  write("hold", "");
  start("e/t/0");
  tell(proto::SequencedEvent{1, exited("e/u/0")});
  loop_.run(host_->close());
  remove("hold");
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace lathe::manager
