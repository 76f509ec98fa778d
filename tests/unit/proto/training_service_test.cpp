#include <lathe/proto/training_service.hpp>

#include <string>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TrainingServiceTest : public ConfigTest {
 protected:
  TrainingServiceTest() { folder.write("key", "k"); }

  static std::string with_service(const std::string& service) {
    return "searchSpace: {x: {_type: uniform, _value: [0, 1]}}\ntrialCommand: run\ntuner: {name: Random}\n"
           "trainingService: " +
           service + "\n";
  }

  [[nodiscard]] std::string problems(const std::string& service) const {
    return errors_of(parse(with_service(service)));
  }
};

TEST_F(TrainingServiceTest, ReadsMachines) {
  const auto config = parse(with_service(R"(
  platform: remote
  machineList:
    - {host: a.lan, user: ana, port: 2222, sshKeyFile: key, sshPassphrase: open, slots: 4, labels: {gpu: a100},
       gpuIndices: [2, 3], maxTrialNumberPerGpu: 2, useActiveGpu: true, pythonPath: /opt/py/bin}
    - {host: b})"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_TRUE(config->warnings.empty());
  const auto& machines = std::get<RemoteService>(config->training_services.at(0)).machines;
  ASSERT_EQ(machines.size(), 2u);
  EXPECT_EQ(machines[0].address.name(), "ana@a.lan:2222");
  EXPECT_EQ(machines[0].address.key_file, folder.path() / "key");
  EXPECT_EQ(machines[0].address.passphrase.reveal(), "open");
  EXPECT_EQ(machines[0].slots, 4);
  EXPECT_EQ(machines[0].labels.at("gpu"), "a100");
  EXPECT_THAT(*machines[0].gpus.gpu_indices, ElementsAre(2, 3));
  EXPECT_EQ(machines[0].gpus.max_trials_per_gpu, 2);
  EXPECT_TRUE(machines[0].gpus.use_active_gpu);
  EXPECT_EQ(machines[0].python_path, "/opt/py/bin");
  EXPECT_EQ(machines[1].address.name(), "b");
  EXPECT_FALSE(machines[1].slots);
}

TEST_F(TrainingServiceTest, KeepsSecretsOutOfTheCanonicalForm) {
  const auto config =
      parse(with_service("{platform: remote, machineList: [{host: a, password: pa55, passphrase: wo7d}]}"));
  ASSERT_TRUE(config) << to_string(config.error());
  const std::string text = to_json(*config).dump();
  EXPECT_THAT(text, Not(HasSubstr("pa55")));
  EXPECT_THAT(text, Not(HasSubstr("wo7d")));
  EXPECT_EQ(errors_of(parse_experiment_config(text, {.file = "", .search_path = {}, .canonical = true})), "");
}

TEST_F(TrainingServiceTest, ABadSecretIsNotRepeated) {
  EXPECT_EQ(problems("{platform: remote, machineList: [{host: a, password: 12345}]}"),
            "config.yml:4: trainingService.machineList[0].password: expected a text that is not empty");
}

TEST_F(TrainingServiceTest, ReadsSlurm) {
  const auto config = parse(with_service(R"(
  platform: slurm
  submitHost: {host: login, user: ana}
  partition: gpu
  timeLimit: 1-00:00:00
  gresType: gpu:a100
  cpusPerTask: 4
  memory: 16G
  directives: [--exclusive]
  prologue: module load cuda
  slots: 100)"));
  ASSERT_TRUE(config) << to_string(config.error());
  const auto& slurm = std::get<SlurmService>(config->training_services.at(0));
  EXPECT_EQ(slurm.name(), "slurm:ana@login");
  EXPECT_EQ(slurm.time_limit, "1-00:00:00");
  EXPECT_THAT(slurm.directives, ElementsAre("--exclusive"));
  const auto again =
      parse_experiment_config(to_json(*config).dump(), {.file = "", .search_path = {}, .canonical = true});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again), to_json(*config));
}

TEST_F(TrainingServiceTest, ReadsAList) {
  const auto config =
      parse(with_service("[{platform: local, slots: 2}, {platform: remote, machineList: [{host: a}]}]"));
  ASSERT_TRUE(config) << to_string(config.error());
  ASSERT_EQ(config->training_services.size(), 2u);
  EXPECT_EQ(platform_of(config->training_services[0]), "local");
  EXPECT_EQ(platform_of(config->training_services[1]), "remote");
  const auto again =
      parse_experiment_config(to_json(*config).dump(), {.file = "", .search_path = {}, .canonical = true});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again), to_json(*config));
}

TEST_F(TrainingServiceTest, UnsetGpuNumberIsNotZero) {
  const std::string base = with_service("{platform: local}");
  EXPECT_FALSE(parse(base)->trial_gpu_number);
  EXPECT_EQ(parse(base + "trialGpuNumber: 0\n")->trial_gpu_number, 0);
  EXPECT_EQ(parse(base + "trialGpuNumber: 2\n")->trial_gpu_number, 2);
}

TEST_F(TrainingServiceTest, RetriesAreANumberOrTwo) {
  const std::string base = with_service("{platform: local}");
  EXPECT_EQ(parse(base)->max_retries.lost, 1);
  EXPECT_EQ(parse(base)->max_retries.failed, 0);
  EXPECT_EQ(parse(base + "maxRetries: 3\n")->max_retries.failed, 3);
  EXPECT_EQ(parse(base + "maxRetries: {lost: 5}\n")->max_retries.lost, 5);
  EXPECT_EQ(parse(base + "maxRetries: {lost: 5}\n")->max_retries.failed, 0);
}

TEST_F(TrainingServiceTest, SaysWhatIsWrong) {
  EXPECT_THAT(problems("{platform: remote}"), HasSubstr("trainingService.machineList: required"));
  EXPECT_THAT(problems("{platform: remote, machineList: []}"), HasSubstr("expected a list of machines"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{user: ana}]}"), HasSubstr("machineList[0].host: required"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: -oProxyCommand=x}]}"),
              HasSubstr("host: expected a host name"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: 'a b'}]}"), HasSubstr("host: expected a host name"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: a, port: 70000}]}"),
              HasSubstr("port: expected an integer from 1 to 65535"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: a, sshKeyFile: gone}]}"), HasSubstr("sshKeyFile: "));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: a}, {host: a}]}"),
              HasSubstr("a is in the list already"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: a, gpuIndices: [1, 1]}]}"),
              HasSubstr("names a GPU twice"));
  EXPECT_THAT(problems("{platform: remote, machineList: [{host: a, gpuIndices: '1,,2'}]}"),
              HasSubstr("gpuIndices: expected GPU numbers"));
  EXPECT_THAT(problems("[]"), HasSubstr("expected a training service"));
  EXPECT_THAT(problems("[{platform: local}, {platform: local}]"), HasSubstr("local is there twice"));
  EXPECT_THAT(problems("{platform: slurm, directives: [exclusive]}"),
              HasSubstr("directives[0]: expected an option of sbatch"));
  EXPECT_THAT(problems("{platform: slurm, partition: 'a b'}"), HasSubstr("partition: expected one word"));
}

}  // namespace
}  // namespace lathe::proto
