// Addresses, mounts, settings, records, tokens.
#include <sys/stat.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pai/http_address.hpp"
#include "pai/mount_map.hpp"
#include "pai/pai_client.hpp"
#include "pai/pai_record.hpp"
#include "pai/pai_settings.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

TEST(HttpAddress, IsReadFromAUrl) {
  const auto plain = HttpAddress::parse("http://pai.lan:8080/");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->is_secure);
  EXPECT_EQ(plain->host + " " + plain->port + " " + plain->path, "pai.lan 8080 ");
  EXPECT_EQ(plain->authority(), "pai.lan:8080");
  const auto gateway = HttpAddress::parse("https://gate.lan/pai/");
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->port + gateway->path, "443/pai");
  EXPECT_EQ(gateway->authority(), "gate.lan");
  const auto six = HttpAddress::parse("https://[fe80::1]:444");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host + " " + six->port, "fe80::1 444");
  EXPECT_EQ(six->authority(), "[fe80::1]:444");
}

TEST(HttpAddress, EverythingElseIsRefused) {
  for (const char* url : {"", "pai.lan", "ftp://pai.lan", "https://", "https://:443", "https://a:0", "https://a:70000",
                          "https://a:x", "https://u:p@a", "https://a b", "https://a\r\nX: y", "https://a/?q=1",
                          "https://a/../b", "https://-oX", "https://[x"}) {
    EXPECT_FALSE(HttpAddress::parse(url)) << url;
  }
}

TEST(MountMap, TurnsPathsOfTheStorage) {
  const MountMap mount{"/mnt/here/", "/data"};
  EXPECT_EQ(mount.inside(fs::path("/mnt/here/trials/7")), "/data/trials/7");
  EXPECT_EQ(mount.inside(fs::path("/mnt/here")), "/data");
  EXPECT_EQ(mount.inside(fs::path("/mnt/here/../here/a")), "/data/a");
  EXPECT_FALSE(mount.inside(fs::path("/mnt/hereafter/a")));
  EXPECT_FALSE(mount.inside(fs::path("/mnt/here/../b")));
  EXPECT_FALSE(mount.inside(fs::path("/mnt")));
}

TEST(MountMap, FollowsLinksToTheStorage) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "real/trials");
  fs::create_directory_symlink(folder.path() / "real", folder.path() / "link");
  const MountMap mount{folder.path() / "real", "/data"};
  EXPECT_EQ(mount.inside(folder.path() / "link/trials"), "/data/trials");
}

TEST(MountMap, TurnsVariables) {
  const MountMap mount{"/mnt/here", "/data"};
  const auto environment = mount.inside({{"NNI_SYS_DIR", "/mnt/here/t"}, {"PATH", "/mnt/here/bin:/bin"}, {"N", "7"}});
  EXPECT_EQ(environment.at("NNI_SYS_DIR"), "/data/t");
  EXPECT_EQ(environment.at("PATH"), "/mnt/here/bin:/bin");
  EXPECT_EQ(environment.at("N"), "7");
}

ordered_json launcher() {
  return {{"kind", "pai"},
          {"url", "https://pai.lan"},
          {"user", "ana"},
          {"token_file", "/s/t"},
          {"local_mount", "/here"},
          {"container_mount", "/d//"},
          {"storage", "nfs"},
          {"image", "i"},
          {"cpus", 2},
          {"memory_mb", 100}};
}

TEST(PaiSettings, AreRead) {
  const auto settings = PaiSettings::from_json(launcher());
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->access.token_file, "/s/t");
  EXPECT_EQ(settings->mount.container, "/d");
  EXPECT_EQ(settings->cpus, 2);
  EXPECT_EQ(settings->gpus, 0);
  EXPECT_TRUE(settings->protocol.is_null());
}

TEST(PaiSettings, SayWhatIsWrong) {
  const auto problem = [](const char* key, const ordered_json& value) {
    ordered_json json = launcher();
    json[key] = value;
    const auto settings = PaiSettings::from_json(json);
    return settings ? std::string() : settings.error().message;
  };
  EXPECT_THAT(problem("url", nullptr), HasSubstr("launcher.url: expected a text"));
  EXPECT_THAT(problem("url", "pai.lan"), HasSubstr("launcher.url: \"pai.lan\" is no address"));
  EXPECT_THAT(problem("user", "a~b"), HasSubstr("launcher.user: expected letters"));
  EXPECT_THAT(problem("token_file", "t"), HasSubstr("launcher.token_file: expected an absolute path"));
  EXPECT_THAT(problem("local_mount", 7), HasSubstr("launcher.local_mount: expected a text"));
  EXPECT_THAT(problem("cpus", -1), HasSubstr("launcher.cpus: expected a number"));
  EXPECT_THAT(problem("gpus", "2"), HasSubstr("launcher.gpus: expected a number"));
  EXPECT_THAT(problem("protocol", "x"), HasSubstr("launcher.protocol: expected an object"));
  EXPECT_FALSE(PaiSettings::from_json(nullptr));
}

TEST(PaiRecord, IsReadAgain) {
  const PaiRecord record{{"https://pai.lan", "ana", "/s/t", {}}, "lathe-a-b", true};
  const auto again = PaiRecord::from_json(record.to_json());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->to_json(), record.to_json());
}

TEST(PaiRecord, ADamagedOneIsRefused) {
  const ordered_json whole = PaiRecord{{"https://pai.lan", "ana", "/s/t", {}}, "lathe-a-b", true}.to_json();
  for (const char* key : {"access", "name"}) {
    ordered_json json = whole;
    json.erase(key);
    EXPECT_FALSE(PaiRecord::from_json(json)) << key;
    json[key] = "../../x";
    EXPECT_FALSE(PaiRecord::from_json(json)) << key;
  }
  EXPECT_FALSE(PaiRecord::from_json(nullptr));
}

TEST(PaiToken, IsReadFromAFileOfItsOwnersAlone) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "token";
  EXPECT_THAT(read_token(file).error().message, HasSubstr("cannot read the token"));
  std::ofstream(file) << "abc.def\n";
  ::chmod(file.c_str(), 0640);
  EXPECT_THAT(read_token(file).error().message, HasSubstr("expected mode 0600"));
  ::chmod(file.c_str(), 0600);
  EXPECT_EQ(read_token(file).value(), "abc.def");
  for (const char* text : {"", "\n", "two words", "two\nlines", "a\r\nX-Evil: 1"}) {
    std::ofstream(file) << text;
    const auto token = read_token(file);
    ASSERT_FALSE(token) << text;
    EXPECT_THAT(token.error().message, Not(HasSubstr("words")));
  }
}

}  // namespace
}  // namespace lathe::agent
