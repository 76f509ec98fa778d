#include "daemon/options.hpp"

#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

std::variant<DaemonOptions, int> parse(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"lathed", "--data-dir", "/tmp/lathe-data"};
  argv.insert(argv.end(), arguments);
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

bool is_usage_error(std::initializer_list<const char*> arguments) {
  const auto options = parse(arguments);
  return std::holds_alternative<int>(options) && std::get<int>(options) == 2;
}

TEST(Options, ListenOnLoopbackByDefault) {
  const auto options = std::get<DaemonOptions>(parse({}));
  EXPECT_EQ(options.listen, "127.0.0.1");
  EXPECT_EQ(options.port, 8080);
  EXPECT_FALSE(options.keep_trials);
  EXPECT_EQ(options.agent_program.filename(), "lathe-agent");
  EXPECT_EQ(options.search_path, std::vector{std::filesystem::current_path()});
}

TEST(Options, MakePathsAbsolute) {
  const auto options = std::get<DaemonOptions>(parse({"--search-path", "a", "/b/../c", "--pid-file", "x.pid"}));
  EXPECT_EQ(options.search_path, (std::vector{std::filesystem::current_path() / "a", std::filesystem::path("/c")}));
  EXPECT_EQ(options.pid_file, std::filesystem::current_path() / "x.pid");
}

TEST(Options, WantTokensWhereOthersReachTheAddress) {
  EXPECT_FALSE(std::get<DaemonOptions>(parse({})).require_token);
  EXPECT_FALSE(std::get<DaemonOptions>(parse({"--listen", "::1"})).require_token);
  EXPECT_FALSE(std::get<DaemonOptions>(parse({"--listen", "127.0.0.2"})).require_token);
  EXPECT_TRUE(std::get<DaemonOptions>(parse({"--require-token"})).require_token);
  for (const char* address : {"0.0.0.0", "192.168.1.5", "::", "fe80::1"})
    EXPECT_TRUE(std::get<DaemonOptions>(parse({"--listen", address})).require_token) << address;
}

TEST(Options, WantCertificateAndKeyTogether) {
  EXPECT_TRUE(is_usage_error({"--tls-cert", "/dev/null"}));
  EXPECT_TRUE(is_usage_error({"--tls-key", "/dev/null"}));
  EXPECT_TRUE(is_usage_error({"--tls-cert", "/no/such/file", "--tls-key", "/dev/null"}));
  EXPECT_TRUE(std::get<DaemonOptions>(parse({"--tls-cert", "/dev/null", "--tls-key", "/dev/null"})).tls.is_wanted());
}

TEST(Options, KnowHostsInLowerCase) {
  EXPECT_EQ(std::get<DaemonOptions>(parse({"--allow-host", "GPU1.lab", "proxy"})).allow_hosts,
            (std::vector<std::string>{"gpu1.lab", "proxy"}));
}

TEST(Options, SayHowLongAHostMayBeAwayAndHowSshIsSetUp) {
  EXPECT_EQ(std::get<DaemonOptions>(parse({})).lost_after, std::chrono::seconds(60));
  const auto options = std::get<DaemonOptions>(parse({"--lost-after", "5m", "--ssh-config", "/dev/null"}));
  EXPECT_EQ(options.lost_after, std::chrono::seconds(300));
  EXPECT_EQ(options.ssh_config, "/dev/null");
  EXPECT_TRUE(is_usage_error({"--lost-after", "soon"}));
  EXPECT_TRUE(is_usage_error({"--lost-after", "0s"}));
  EXPECT_TRUE(is_usage_error({"--ssh-config", "/no/such/file"}));
}

TEST(Options, RefuseWhatMakesNoSense) {
  EXPECT_TRUE(is_usage_error({"--listen", "localhost"}));
  EXPECT_TRUE(is_usage_error({"--port", "70000"}));
  EXPECT_TRUE(is_usage_error({"--port", "-1"}));
  EXPECT_TRUE(is_usage_error({"--log-level", "loud"}));
  EXPECT_TRUE(is_usage_error({"--agent", "/no/such/program"}));
  EXPECT_TRUE(is_usage_error({"--what"}));
}

}  // namespace
}  // namespace lathe::manager
