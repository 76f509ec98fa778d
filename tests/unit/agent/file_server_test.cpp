// `lathe-agent --files`: what comes is checked, laid out below the root alone, and given back.
#include "file_server.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <thread>

#include "descriptor.hpp"
#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

class FileServerTest : public testing::Test {
 protected:
  FileServerTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = Descriptor(ends[0]);
    theirs_ = Descriptor(ends[1]);
    stream_.emplace(ours_.get(), ours_.get());
    server_ = std::thread([this] {
      proto::FileStream stream(theirs_.get(), theirs_.get());
      served_ = serve_files(root_, stream);
      theirs_.reset();
    });
  }
  ~FileServerTest() override { hang_up(); }

  void hang_up() {
    ours_.reset();
    if (server_.joinable()) server_.join();
  }

  void send(const Json& message) { ASSERT_TRUE(stream().send(message)); }
  Json answer() {
    auto received = stream().receive();
    EXPECT_TRUE(received) << received.error().message;
    return received.value_or(Json::object());
  }
  /// Sends a text as a blob; its hash.
  std::string keep(const std::string& text) {
    const std::string hash = proto::hash_of_text(text);
    send({{"type", "blob"}, {"hash", hash}, {"size", text.size()}});
    EXPECT_TRUE(stream().send_text(text));
    return hash;
  }
  Json place(Json message) {
    message["type"] = "place";
    send(message);
    return answer();
  }
  Json entry(const std::string& to, const std::string& hash, unsigned mode = 0644, bool own = false) const {
    return {{"to", (root_ / to).string()}, {"hash", hash}, {"mode", mode}, {"own", own}};
  }
  [[nodiscard]] mode_t mode_of(const std::string& name) const {
    struct stat info {};
    ::lstat((root_ / name).c_str(), &info);
    return info.st_mode & 0777;
  }
  proto::FileStream& stream() { return *stream_; }

  TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "root";
  proto::Result<void> served_;
  Descriptor ours_;
  Descriptor theirs_;
  std::optional<proto::FileStream> stream_;
  std::thread server_;
};

TEST_F(FileServerTest, AsksOnceForWhatItDoesNotHave) {
  const std::string one = keep("one");
  const std::string two = proto::hash_of_text("two");
  send({{"type", "store"}, {"hashes", {one, two, two}}});
  EXPECT_EQ(answer(), (Json{{"type", "missing"}, {"hashes", {two}}}));
  hang_up();
  EXPECT_TRUE(served_);
}

TEST_F(FileServerTest, LaysOutFilesFoldersAndLinks) {
  const std::string hash = keep("text");
  const auto done = place({{"folders", {(root_ / "trial/empty").string()}},
                           {"entries", {entry("trial/shared", hash), entry("trial/own", hash, 0640, true)}},
                           {"links", {{{"to", (root_ / "trial/link").string()}, {"target", "shared"}}}}});
  EXPECT_EQ(done["type"], "done") << done;
  EXPECT_TRUE(fs::is_directory(root_ / "trial/empty"));
  EXPECT_EQ(content_of(root_ / "trial/shared"), "text");
  EXPECT_EQ(content_of(root_ / "trial/link"), "text");
  EXPECT_EQ(mode_of("trial/own"), 0640U);
  append_to(root_ / "trial/own", "more");
  EXPECT_EQ(content_of(root_ / "trial/shared"), "text");
  EXPECT_EQ(fs::hard_link_count(root_ / "trial/shared"), 2U);
}

TEST_F(FileServerTest, WhatIsSharedCanBeRunIfItCouldBe) {
  const std::string hash = keep("#!/bin/sh\nexit 7\n");
  EXPECT_EQ(place({{"entries", {entry("bin/program", hash, 0755), entry("data", hash, 0644)}}})["type"], "done");
  EXPECT_EQ(mode_of("bin/program"), 0555U);
  EXPECT_EQ(mode_of("data"), 0444U);
  EXPECT_EQ(place({{"entries", {entry("bin/again", hash, 0755)}}})["type"], "done");
  EXPECT_EQ(fs::hard_link_count(root_ / "bin/again"), 3U) << "one copy in the store for all";
}

TEST_F(FileServerTest, PlacingAgainReplaces) {
  EXPECT_EQ(place({{"entries", {entry("a", keep("one"))}}})["type"], "done");
  EXPECT_EQ(place({{"entries", {entry("a", keep("two"))}}})["type"], "done");
  EXPECT_EQ(content_of(root_ / "a"), "two");
}

TEST_F(FileServerTest, ABlobWithAnotherContentIsNotKept) {
  const std::string hash = proto::hash_of_text("what was meant");
  send({{"type", "blob"}, {"hash", hash}, {"size", 4}});
  ASSERT_TRUE(stream().send_text("what"));
  const auto failed = place({{"entries", {entry("a", hash)}}});
  EXPECT_EQ(failed["type"], "failed");
  EXPECT_THAT(failed["why"].get<std::string>(), HasSubstr("changed while it was being sent"));
  EXPECT_FALSE(fs::exists(root_ / "a"));
  EXPECT_THAT(fs::directory_iterator(root_ / "store"), testing::Truly([](auto files) { return files == end(files); }));
}

TEST_F(FileServerTest, NothingLeadsOutOfTheRoot) {
  const std::string hash = keep("text");
  for (const std::string to : {"../out", "a/../../out", "/etc/out", ""}) {
    Json bad = entry("x", hash);
    bad["to"] = to.starts_with('/') ? to : root_.string() + "/" + to;
    EXPECT_EQ(place({{"entries", {bad}}})["type"], "failed") << to;
    EXPECT_EQ(place({{"folders", {bad["to"]}}})["type"], "failed") << to;
  }
  for (const std::string target : {"/etc/passwd", "../../out", ""}) {
    EXPECT_EQ(place({{"links", {{{"to", (root_ / "a/link").string()}, {"target", target}}}}})["type"], "failed");
  }
  send({{"type", "fetch"}, {"folder", "/etc"}});
  EXPECT_EQ(answer()["type"], "failed");
  EXPECT_FALSE(fs::exists(folder_.path() / "out"));
}

TEST_F(FileServerTest, AWholeAppearsOnceAndIsNotChanged) {
  const std::string whole = (root_ / "code/1").string();
  const std::string one = keep("one");
  append_to(root_ / "store/leftover", "");
  fs::create_directories(whole + ".placing/half");
  const auto done = place({{"whole", whole},
                           {"folders", {whole, whole + "/empty"}},
                           {"entries", {entry("code/1/a/file", one, 0644, true)}},
                           {"links", {{{"to", whole + "/link"}, {"target", "a/file"}}}}});
  EXPECT_EQ(done["type"], "done") << done;
  EXPECT_EQ(content_of(root_ / "code/1/link"), "one");
  EXPECT_TRUE(fs::is_directory(root_ / "code/1/empty"));
  EXPECT_FALSE(fs::exists(root_ / "code/1/half")) << "of an earlier try";
  EXPECT_EQ(place({{"whole", whole}, {"entries", {entry("code/1/b", one)}}})["type"], "done");
  EXPECT_FALSE(fs::exists(root_ / "code/1/b")) << "it is complete";
}

TEST_F(FileServerTest, AWholeThatFailsDoesNotAppear) {
  const std::string whole = (root_ / "code/1").string();
  EXPECT_EQ(place({{"whole", whole}, {"entries", {entry("code/2/a", keep("one"))}}})["type"], "failed");
  EXPECT_EQ(place({{"whole", whole}, {"entries", {entry("code/1/a", proto::hash_of_text("none"))}}})["type"], "failed");
  EXPECT_EQ(place({{"whole", "/etc"}})["type"], "failed");
  EXPECT_FALSE(fs::exists(whole));
  EXPECT_FALSE(fs::exists(root_ / "code/2"));
}

TEST_F(FileServerTest, ListsAndRemovesWhatIsOfExperimentsAndProgramsAlone) {
  for (const char* folder : {"experiments/e/trials/a", "experiments/e/trials/b", "experiments/e/baseline",
                             "experiments/e/files/x", "experiments/f", "lathe-trial-1", "mine"})
    fs::create_directories(root_ / folder);
  fs::create_directory_symlink(root_ / "experiments/e/trials", root_ / "experiments/f/trials");
  send({{"type", "list"}});
  EXPECT_EQ(answer(), (Json{{"type", "listing"},
                            {"folders",
                             {"experiments/e", "experiments/e/baseline", "experiments/e/trials/a",
                              "experiments/e/trials/b", "experiments/f", "lathe-trial-1"}}}));
  send({{"type", "remove"}, {"folders", {"experiments/e/trials/a", "lathe-trial-1", "experiments/gone"}}});
  EXPECT_EQ(answer()["type"], "done");
  for (const char* folder : {"mine", "store", "experiments", "../root", "experiments/../mine", "lathe-trial-1/../mine",
                             "/etc", "experiments/f/trials/b", ""}) {
    send({{"type", "remove"}, {"folders", {folder, "experiments/none"}}});
    EXPECT_EQ(answer()["type"], "failed") << folder;
  }
  send({{"type", "prune"}});
  EXPECT_EQ(answer()["type"], "done");
  hang_up();
  EXPECT_TRUE(fs::is_empty(root_ / "trash"));
  EXPECT_FALSE(fs::exists(root_ / "experiments/e/trials/a"));
  for (const char* folder : {"experiments/e/trials/b", "experiments/f", "mine", "store"})
    EXPECT_TRUE(fs::exists(root_ / folder)) << folder;
}

TEST_F(FileServerTest, GivesBackFilesButNotLinksNorWhatIsToBeSkipped) {
  fs::create_directories(root_ / "trial/.nni");
  fs::create_directories(root_ / "trial/code");
  append_to(root_ / "trial/stdout", "hello");
  append_to(root_ / "trial/.nni/metrics", "m");
  append_to(root_ / "trial/code/train.py", "x");
  fs::create_symlink("/etc/passwd", root_ / "trial/link");
  send({{"type", "fetch"}, {"folder", (root_ / "trial").string()}, {"skip", {"code"}}});
  std::vector<std::string> paths;
  for (Json message = answer(); message["type"] == "file"; message = answer()) {
    paths.push_back(message["path"]);
    ASSERT_TRUE(stream().receive_file(folder_.path() / "back" / paths.back(), message["size"], 0600));
  }
  EXPECT_THAT(paths, ElementsAre(".nni/metrics", "stdout"));
  EXPECT_EQ(content_of(folder_.path() / "back/stdout"), "hello");
}

TEST_F(FileServerTest, WhatIsNoMessageEndsIt) {
  send({{"type", "store"}, {"hashes", {"../../etc/passwd"}}});
  server_.join();
  ASSERT_FALSE(served_);
  EXPECT_THAT(served_.error().message, HasSubstr("a hash that is none"));
}

/// Linked statically, unlike these tests.
TEST(FileServerProgram, KeepsWhatIsSent) {
  const TemporaryFolder folder;
  const fs::path root = fs::canonical(folder.path()) / "state/root";
  const std::string hash = proto::hash_of_text("text");
  {
    const Descriptor input(::open((folder.path() / "input").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    proto::FileStream stream(-1, input.get());
    ASSERT_TRUE(stream.send({{"type", "blob"}, {"hash", hash}, {"size", 4}}));
    ASSERT_TRUE(stream.send_text("text"));
    const Json entry{{"to", (root / "a").string()}, {"hash", hash}, {"mode", 0644}, {"own", true}};
    ASSERT_TRUE(stream.send({{"type", "place"}, {"entries", {entry}}}));
  }
  const std::string words = std::string(LATHE_AGENT_PROGRAM) + " --state-dir state --files <input >output";
  EXPECT_EQ(std::system(("cd '" + folder.path().string() + "' && " + words).c_str()), 0);
  EXPECT_EQ(content_of(root / "a"), "text");
}

}  // namespace
}  // namespace lathe::agent
