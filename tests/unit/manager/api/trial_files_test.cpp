#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

using TrialFiles = LiveApi;
using proto::TrialStatus;

const std::string logs = "/api/v1/experiments/abcd1234/trials/Taaaa/logs/";
const std::string files = "/api/v1/experiments/abcd1234/trials/Taaaa/files/";

TEST_F(TrialFiles, ShowTheWholeLogOrItsTail) {
  add_trial("Taaaa");
  write("Taaaa/stdout", "one\ntwo\nthree\n");
  write("Taaaa/stderr", "no newline");
  EXPECT_EQ(get(logs + "stdout").body, "one\ntwo\nthree\n");
  EXPECT_EQ(get(logs + "stdout").header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(get(logs + "stdout?tail=2").body, "two\nthree\n");
  EXPECT_EQ(get(logs + "stdout?tail=0").body, "");
  EXPECT_EQ(get(logs + "stdout?tail=99").body, "one\ntwo\nthree\n");
  EXPECT_EQ(get(logs + "stderr?tail=1").body, "no newline");
}

TEST_F(TrialFiles, FindTheTailOfALargeLog) {
  add_trial("Taaaa");
  std::string text;
  for (int line = 0; line < 100000; ++line) text += "line " + std::to_string(line) + "\n";
  write("Taaaa/stdout", text);
  EXPECT_EQ(get(logs + "stdout").body, text);
  EXPECT_EQ(get(logs + "stdout?tail=50000").body, text.substr(text.find("line 50000\n")));
}

TEST_F(TrialFiles, SayWhyThereIsNone) {
  add_trial("Taaaa", TrialStatus::Waiting);
  EXPECT_EQ(get(logs + "stdout").status, 404u);
  EXPECT_NE(get(logs + "stdout").body.find("has not started"), std::string::npos);
}

TEST_F(TrialFiles, LetNoPathLeadOut) {
  TrialRecord& trial = add_trial("Taaaa");
  write("secret", "secret");
  std::filesystem::create_symlink(folder_ / "secret", std::filesystem::path(trial.directory) / "stdout");
  ASSERT_EQ(::mkfifo((folder_ / "Taaaa/stderr").c_str(), 0600), 0);
  std::filesystem::create_directory(folder_ / "Taaaa/trial.log");
  for (const char* name : {"stdout", "stderr", "trial.log", "../secret", "..%2fsecret", "%2e%2e%2fsecret",
                           "parameter.cfg", "stdout%00", "..", ""}) {
    const ClientResponse refused = get(logs + name);
    EXPECT_EQ(refused.status, 404u) << name;
    EXPECT_EQ(refused.body.find("\"secret\""), std::string::npos);
  }
  for (const char* name : {"../secret", "%2e%2e%2fsecret", "stdout", "parameter.cfg"})
    EXPECT_EQ(get(files + name).status, 404u) << name;
}

TEST_F(TrialFiles, MayLieOnAStorageThatTheDataFolderLinksTo) {
  namespace fs = std::filesystem;
  const fs::path storage = folder_.string() + "-storage";
  fs::create_directories(storage / "Taaaa");
  fs::create_directory_symlink(storage, folder_ / "experiments");
  add_trial("Taaaa").directory = (folder_ / "experiments" / "Taaaa").string();
  std::ofstream(storage / "Taaaa/stdout") << "out";
  EXPECT_EQ(get(logs + "stdout").body, "out");
  fs::create_symlink(storage / "Taaaa/stdout", storage / "Taaaa/stderr");
  EXPECT_EQ(get(logs + "stderr").status, 404u) << "a trial's own link";
  fs::rename(storage / "Taaaa", storage / "Tbbbb");
  fs::create_directory_symlink(storage / "Tbbbb", storage / "Taaaa");
  EXPECT_EQ(get(logs + "stdout").status, 404u) << "a link further down";
  fs::remove_all(storage);
}

TEST_F(TrialFiles, AreDownloadedWhole) {
  add_trial("Taaaa");
  std::string bytes(3 << 20, '\0');
  for (std::size_t index = 0; index < bytes.size(); ++index) bytes[index] = static_cast<char>(index * 31 + index / 251);
  write("Taaaa/compressed.pt", bytes);
  write("Taaaa/report.json", "{}");
  const ClientResponse model = get(files + "compressed.pt");
  EXPECT_EQ(model.header("Content-Length"), std::to_string(bytes.size()));
  EXPECT_EQ(model.header("Content-Disposition"), "attachment; filename=\"Taaaa-compressed.pt\"");
  EXPECT_TRUE(model.body == bytes);
  EXPECT_EQ(get(files + "report.json").header("Content-Type"), "application/json");
  write("Taaaa/int8.pt", "int8");
  EXPECT_EQ(get(files + "int8.pt").body, "int8");
}

TEST_F(TrialFiles, AreFollowedUntilTheTrialEnds) {
  add_trial("Taaaa", TrialStatus::Running);
  write("Taaaa/stdout", "first\nsecond\n");
  Client follower = client();
  follower.request("GET", logs + "stdout?follow=true&tail=1");
  EXPECT_EQ(follower.read_until("second\n").find("first"), std::string::npos);
  write("Taaaa/stdout", "third\n");
  follower.read_until("third\n");
  server_->on_loop([&] {
    write("Taaaa/stdout", "last\n");
    service_.trials[0].status = TrialStatus::Succeeded;
    service_.events().publish("abcd1234", "trial", "{}");
  });
  EXPECT_NE(follower.read_until("0\r\n\r\n").find("last\n"), std::string::npos);
}

TEST_F(TrialFiles, AreFollowedFromBeforeTheirBeginning) {
  add_trial("Taaaa", TrialStatus::Waiting);
  Client follower = client();
  follower.request("GET", logs + "stdout?follow=true");
  follower.read_until("\r\n\r\n");
  server_->on_loop([&] {
    write("Taaaa/stdout", "begun\n");
    service_.events().publish("abcd1234", "trial", "{}");
  });
  follower.read_until("begun\n");
  server_->on_loop([&] {
    // Run again: a new file under the same name.
    std::filesystem::remove(folder_ / "Taaaa/stdout");
    write("Taaaa/stdout", "again\n");
    service_.trials[0].status = TrialStatus::Failed;
    service_.events().publish("abcd1234", "trial", "{}");
  });
  EXPECT_NE(follower.read_until("0\r\n\r\n").find("again\n"), std::string::npos);
}

TEST_F(TrialFiles, FollowingAnEndedTrialEndsAtOnce) {
  add_trial("Taaaa");
  write("Taaaa/stdout", "all\n");
  EXPECT_EQ(get(logs + "stdout?follow=true").body, "all\n");
}

TEST_F(TrialFiles, TheDaemonsOwnLogIsShown) {
  EXPECT_EQ(get("/api/v1/log").status, 404u);
  write("lathed.log", "a\nb\n");
  EXPECT_EQ(get("/api/v1/log?tail=1").body, "b\n");
  Client follower = client();
  follower.request("GET", "/api/v1/log?follow=1&tail=1");
  follower.read_until("b\n");
  server_->stop();
  follower.read_until("0\r\n\r\n");
}

}  // namespace
}  // namespace lathe::manager::testing
