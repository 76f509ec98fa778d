// `trainingService: {platform: pai}`, in NNI's v2 and v1 spelling.
#include <string>

#include <lathe/proto/training_service.hpp>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PaiSectionTest : public ConfigTest {
 protected:
  PaiSectionTest() {
    std::filesystem::create_directory(folder.path() / "nfs");
    folder.write("protocol.yml", "protocolVersion: 2\ntaskRoles: {work: {commands: [nvidia-smi]}}\n");
    folder.write("ca.pem", "certificate");
    folder.write("space.json", R"({"x": {"_type": "uniform", "_value": [0, 1]}})");
  }

  static std::string with_service(const std::string& service) {
    return "searchSpace: {x: {_type: uniform, _value: [0, 1]}}\ntrialCommand: run\ntuner: {name: Random}\n"
           "trainingService: " +
           service + "\n";
  }

  /// A complete service, with `more` behind.
  static std::string service(const std::string& more = "") {
    return "{platform: openpai, host: pai.lan, username: ana, token: s3cret, trialMemorySize: 8 gb, "
           "storageConfigName: nfs-data, localStorageMountPoint: nfs, containerStorageMountPoint: /mnt/nfs-data" +
           (more.empty() ? "" : ", " + more) + "}";
  }

  [[nodiscard]] PaiService read(const std::string& text) const {
    const auto config = parse(with_service(text));
    if (config) return std::get<PaiService>(config->training_services.at(0));
    ADD_FAILURE() << to_string(config.error());
    return {};
  }

  [[nodiscard]] std::string problems(const std::string& text) const { return errors_of(parse(with_service(text))); }
};

TEST_F(PaiSectionTest, ReadsNnisKeysWithItsDefaults) {
  const PaiService pai = read(service());
  EXPECT_EQ(pai.url, "https://pai.lan");
  EXPECT_EQ(pai.user, "ana");
  EXPECT_EQ(pai.token.reveal(), "s3cret");
  EXPECT_EQ(pai.cpus, 1);
  EXPECT_EQ(pai.memory_mb, 8192);
  EXPECT_EQ(pai.docker_image, "msranni/nni:latest");
  EXPECT_EQ(pai.virtual_cluster, "");
  EXPECT_EQ(pai.storage_config_name, "nfs-data");
  EXPECT_EQ(pai.local_mount_point, folder.path() / "nfs");
  EXPECT_EQ(pai.container_mount_point, "/mnt/nfs-data");
  EXPECT_TRUE(pai.job_protocol.is_null());
  EXPECT_EQ(pai.name(), "pai:ana@pai.lan");
  EXPECT_EQ(platform_of(pai), "pai");
}

TEST_F(PaiSectionTest, SnakeCaseAndOurKeys) {
  const PaiService pai =
      read(service("trial_cpu_number: 4, docker_image: me/torch:2, virtual_cluster: vc1, ca_file: ca.pem, slots: 7"));
  EXPECT_EQ(pai.cpus, 4);
  EXPECT_EQ(pai.docker_image, "me/torch:2");
  EXPECT_EQ(pai.virtual_cluster, "vc1");
  EXPECT_EQ(pai.ca_file, folder.path() / "ca.pem");
  EXPECT_EQ(pai.slots, 7);
}

TEST_F(PaiSectionTest, TheCanonicalFormIsReadAgainAndHoldsNoToken) {
  const auto config = parse(with_service(service("openpaiConfig: {taskRoles: {work: {}}}, slots: 3")));
  ASSERT_TRUE(config) << to_string(config.error());
  const std::string text = to_json(*config).dump();
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  const auto again = parse_experiment_config(text, {.file = "", .search_path = {}, .canonical = true});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again).dump(), text);
}

TEST_F(PaiSectionTest, ReadsV1) {
  const auto config = parse(R"(
trialConcurrency: 1
trainingServicePlatform: pai
searchSpacePath: space.json
tuner: {builtinTunerName: Random}
trial:
  command: run
  codeDir: .
  gpuNum: 2
  cpuNum: 3
  memoryMB: 4096
  image: me/torch
  virtualCluster: vc1
  nniManagerNFSMountPath: nfs
  containerNFSMountPath: /mnt/nfs-data
  paiStorageConfigName: nfs-data
paiConfig: {userName: ana, token: s3cret, host: 10.1.1.1, reuse: true}
)");
  ASSERT_TRUE(config) << to_string(config.error());
  const auto& pai = std::get<PaiService>(config->training_services.at(0));
  EXPECT_EQ(pai.name(), "pai:ana@10.1.1.1");
  EXPECT_EQ(pai.token.reveal(), "s3cret");
  EXPECT_EQ(pai.cpus, 3);
  EXPECT_EQ(pai.memory_mb, 4096);
  EXPECT_EQ(pai.docker_image, "me/torch");
  EXPECT_EQ(pai.virtual_cluster, "vc1");
  EXPECT_EQ(pai.storage_config_name, "nfs-data");
  EXPECT_EQ(pai.local_mount_point, folder.path() / "nfs");
  EXPECT_EQ(config->trial_gpu_number, 2);
}

TEST_F(PaiSectionTest, TakesAProtocolFromAFileOrInline) {
  const PaiService from_file = read(service("openpaiConfigFile: protocol.yml"));
  EXPECT_EQ(from_file.job_protocol["taskRoles"]["work"]["commands"][0], "nvidia-smi");
  const std::string base =
      "platform: pai, host: pai.lan, username: ana, token: t, localStorageMountPoint: nfs, "
      "containerStorageMountPoint: /mnt/x, ";
  const PaiService inlined = read("{" + base + "openpaiConfig: {taskRoles: {a: {}}}}");
  EXPECT_TRUE(inlined.job_protocol["taskRoles"].contains("a"));
  EXPECT_EQ(inlined.memory_mb, 0);
  EXPECT_THAT(problems(service("openpaiConfig: {taskRoles: {a: {}}}, openpaiConfigFile: protocol.yml")),
              HasSubstr("expected openpaiConfig or openpaiConfigFile, found both"));
  EXPECT_THAT(problems(service("openpaiConfig: {name: x}")), HasSubstr("expected a job protocol with taskRoles"));
  EXPECT_THAT(problems(service("openpaiConfig: {protocolVersion: 1, taskRoles: {a: {}}}")),
              HasSubstr("expected protocolVersion 2, found 1"));
}

TEST_F(PaiSectionTest, SizesAreRoundedUp) {
  EXPECT_EQ(read(service("memoryMB: 1")).memory_mb, 8192) << "the newer key counts";
  const auto size = [this](const std::string& text) {
    std::string config = service();
    config.replace(config.find("8 gb"), 4, text);
    return read(config).memory_mb;
  };
  EXPECT_EQ(size("1.5GB"), 1536);
  EXPECT_EQ(size("100 mb"), 100);
  EXPECT_EQ(size("1025kb"), 2);
  EXPECT_EQ(size("1 tb"), 1024 * 1024);
  EXPECT_EQ(size("1b"), 1);
}

TEST_F(PaiSectionTest, SaysWhatIsWrong) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string config = service();
    return config.replace(config.find(from), from.size(), to);
  };
  EXPECT_THAT(problems("{platform: pai}"), HasSubstr("trainingService.host: required"));
  EXPECT_THAT(problems("{platform: pai}"), HasSubstr("trainingService.token: required"));
  EXPECT_THAT(problems("{platform: pai}"), HasSubstr("trainingService.storageConfigName: required"));
  EXPECT_THAT(problems("{platform: pai}"), HasSubstr("trainingService.trialMemorySize: required"));
  EXPECT_THAT(problems(with("host: pai.lan", "host: 'pai.lan:99999'")), HasSubstr("host: expected PAI's address"));
  EXPECT_THAT(problems(with("host: pai.lan", "host: 'ftp://pai.lan'")), HasSubstr("host: expected PAI's address"));
  EXPECT_THAT(problems(with("host: pai.lan", "host: 'u:p@pai.lan'")), HasSubstr("host: expected PAI's address"));
  EXPECT_THAT(problems(with("username: ana", "username: 'a/b'")), HasSubstr("username: expected a user name"));
  EXPECT_THAT(problems(with("8 gb", "8")), HasSubstr("trialMemorySize: expected a size with its unit"));
  EXPECT_THAT(problems(with("8 gb", "-1 gb")), HasSubstr("trialMemorySize: expected a size with its unit"));
  EXPECT_THAT(problems(with("Point: nfs", "Point: gone")), HasSubstr("localStorageMountPoint: "));
  EXPECT_THAT(problems(with("/mnt/nfs-data", "mnt/x")),
              HasSubstr("containerStorageMountPoint: expected an absolute path"));
  EXPECT_THAT(problems(service("trialCpuNumber: 0")), HasSubstr("trialCpuNumber: expected an integer from 1"));
  EXPECT_THAT(problems("[" + service() + ", " + service() + "]"), HasSubstr("pai:ana@pai.lan is there twice"));
}

TEST_F(PaiSectionTest, ABadSecretIsNotRepeated) {
  std::string config = service();
  config.replace(config.find("s3cret"), 6, "12345");
  EXPECT_THAT(problems(config), HasSubstr("token: expected a text that is not empty"));
  EXPECT_THAT(problems(config), Not(HasSubstr("12345")));
  const std::string old = problems(service("paiConfig: {passWord: hunter2}"));
  EXPECT_THAT(old, HasSubstr("not supported: a password"));
  EXPECT_THAT(old, Not(HasSubstr("hunter2")));
}

TEST_F(PaiSectionTest, HttpIsTakenWithAWarning) {
  std::string text = service();
  text.replace(text.find("pai.lan"), 7, "'http://pai.lan:8080/'");
  const auto config = parse(with_service(text));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(std::get<PaiService>(config->training_services.at(0)).url, "http://pai.lan:8080");
  ASSERT_EQ(config->warnings.size(), 1u);
  EXPECT_THAT(config->warnings[0], HasSubstr("unencrypted"));
}

}  // namespace
}  // namespace lathe::proto
