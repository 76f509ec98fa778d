#include "hosts/ssh/manifest.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/proto/file_stream.hpp>

#include "../temp_folder.hpp"
#include "hosts/ssh/file_transfer.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class ManifestTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    const fs::path path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  Manifest manifest(const std::vector<TrialInput>& inputs) {
    auto made = manifest_of(inputs, hashes_);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Manifest();
  }

  Manifest tree(const std::string& name) {
    return manifest({{TrialInput::Kind::Tree, folder_.path() / name, {}, "/far/code"}});
  }

  static std::vector<std::string> targets(const Manifest& manifest) {
    std::vector<std::string> all;
    for (const ManifestEntry& entry : manifest.entries) all.push_back(entry.to);
    return all;
  }

  TempFolder folder_;
  HashCache hashes_;
};

TEST_F(ManifestTest, FilesAndTextsGoByTheirHashes) {
  const fs::path model = write("model.pt", "weights");
  const Manifest made = manifest({{TrialInput::Kind::File, model, {}, "/far/model.pt"},
                                  {TrialInput::Kind::Text, {}, "{\"a\": 1}", "/far/settings.json"}});
  ASSERT_EQ(made.entries.size(), 2u);
  EXPECT_EQ(made.entries[0].hash, proto::hash_of_text("weights"));
  EXPECT_FALSE(made.entries[0].own) << "nobody writes to a model: all trials share it";
  EXPECT_EQ(made.files.at(made.entries[0].hash), model);
  EXPECT_EQ(made.texts.at(made.entries[1].hash), "{\"a\": 1}");
  const auto message = made.place();
  EXPECT_EQ(message["type"], "place");
  EXPECT_EQ(message["entries"][0]["to"], "/far/model.pt");
}

TEST_F(ManifestTest, ATreeKeepsItsShapeModesAndEmptyFolders) {
  const fs::path script = write("code/train.sh", "#!/bin/sh");
  fs::permissions(script, fs::perms::owner_all);
  write("code/lib/a.py", "a");
  fs::create_directories(folder_.path() / "code/empty");
  const Manifest made = tree("code");
  EXPECT_THAT(targets(made), UnorderedElementsAre("/far/code/train.sh", "/far/code/lib/a.py"));
  EXPECT_THAT(made.folders, UnorderedElementsAre("/far/code", "/far/code/lib", "/far/code/empty"));
  for (const ManifestEntry& entry : made.entries) {
    EXPECT_TRUE(entry.own) << "a trial may write into its code";
    EXPECT_EQ(entry.mode & 0100u, entry.to.ends_with(".sh") ? 0100u : 0u) << entry.to;
  }
}

TEST_F(ManifestTest, LatheignoreNamesWhatStaysBehind) {
  write("code/.latheignore", "# comment\n\n*.log\ndata/\n/top.txt\nsub/*.tmp\r\n");
  write("code/run.py", "");
  write("code/a.log", "");
  write("code/deep/b.log", "");
  write("code/data/huge.bin", "");
  write("code/deep/data", "a file is no folder");
  write("code/top.txt", "");
  write("code/deep/top.txt", "");
  write("code/sub/x.tmp", "");
  write("code/sub/deeper/x.tmp", "");
  EXPECT_THAT(targets(tree("code")),
              UnorderedElementsAre("/far/code/.latheignore", "/far/code/run.py", "/far/code/deep/data",
                                   "/far/code/deep/top.txt", "/far/code/sub/deeper/x.tmp"));
}

TEST_F(ManifestTest, NnisIgnoreFileIsHeededToo) {
  write("code/.nniignore", "*.ckpt\n");
  write("code/a.ckpt", "");
  EXPECT_THAT(targets(tree("code")), ElementsAre("/far/code/.nniignore"));
}

TEST_F(ManifestTest, LinksInsideStayLinksAndThoseThatLeadOutAreFollowed) {
  const fs::path outside = write("elsewhere/data.bin", "data");
  write("code/real.txt", "real");
  fs::create_symlink("real.txt", folder_.path() / "code/inside");
  fs::create_symlink(outside, folder_.path() / "code/outside.bin");
  fs::create_symlink("../elsewhere/none", folder_.path() / "code/broken");
  const Manifest made = tree("code");
  EXPECT_THAT(made.links, ElementsAre(Pair("/far/code/inside", "real.txt")));
  EXPECT_THAT(targets(made), UnorderedElementsAre("/far/code/real.txt", "/far/code/outside.bin"));
}

TEST_F(ManifestTest, ALinkToItsOwnParentIsAnErrorNotAnEndlessCopy) {
  write("code/a", "");
  fs::create_symlink("..", folder_.path() / "code/up");
  const auto made = manifest_of({{TrialInput::Kind::Tree, folder_.path() / "code", {}, "/far/code"}}, hashes_);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("leads to a folder that it lies in"));
}

TEST_F(ManifestTest, FoldersThatLinkToEachOtherAreAnErrorToo) {
  write("code/a", "");
  write("other/b", "");
  fs::create_symlink("../other", folder_.path() / "code/there");
  fs::create_symlink("../code", folder_.path() / "other/back");
  EXPECT_FALSE(manifest_of({{TrialInput::Kind::Tree, folder_.path() / "code", {}, "/far/code"}}, hashes_));
}

TEST_F(ManifestTest, WhatIsNotThereIsNamed) {
  const auto made = manifest_of({{TrialInput::Kind::File, folder_.path() / "gone.pt", {}, "/far/gone.pt"}}, hashes_);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("gone.pt"));
}

TEST_F(ManifestTest, AProgramGoesWithItsLibrariesAndLoader) {
  const Manifest made = manifest({{TrialInput::Kind::Program, "/bin/ls", {}, "/far/tool/ls"}});
  EXPECT_THAT(targets(made),
              ::testing::AllOf(::testing::Contains("/far/tool/bin/ls"), ::testing::Contains("/far/tool/ls"),
                               ::testing::Contains(HasSubstr("/far/tool/lib/libc.so"))));
  for (const ManifestEntry& entry : made.entries) {
    const bool is_executed = entry.to == "/far/tool/ls" || entry.to.find("/lib/ld-") != std::string::npos;
    EXPECT_EQ(entry.own, is_executed) << entry.to;
  }
}

TEST_F(ManifestTest, ANoticedChangeChangesTheHash) {
  const fs::path file = write("f", "one");
  const std::string before = *hashes_.hash_of(file);
  EXPECT_EQ(*hashes_.hash_of(file), before);
  write("f", "longer");
  EXPECT_EQ(*hashes_.hash_of(file), proto::hash_of_text("longer"));
}

TEST_F(ManifestTest, AVersionIsTheSameForTheSameFilesAndAnotherForOthers) {
  write("code/a.py", "one");
  write("code/b.py", "two");
  Manifest made = tree("code");
  const std::string version = made.move_below_version("/far/code");
  EXPECT_EQ(version.size(), 16u);
  EXPECT_EQ(made.entries.at(0).to, "/far/code/" + version + "/a.py");
  EXPECT_EQ(made.folders.at(0), "/far/code/" + version);
  EXPECT_EQ(tree("code").move_below_version("/far/code"), version);
  fs::remove(folder_.path() / "code/b.py");
  EXPECT_NE(tree("code").move_below_version("/far/code"), version);
}

TEST_F(ManifestTest, NothingNeedsNothing) {
  EXPECT_THAT(manifest({}).entries, IsEmpty());
}

}  // namespace
}  // namespace lathe::manager
