#include "hosts/host_spec.hpp"

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using Json = nlohmann::ordered_json;

proto::RemoteMachine machine(const std::string& host) {
  proto::RemoteMachine machine;
  machine.address.host = host;
  machine.address.user = "ana";
  machine.address.port = 2222;
  return machine;
}

TEST(HostSpec, WithoutAServiceEverythingRunsOnThisMachine) {
  const auto specs = host_specs(proto::ExperimentConfig());
  ASSERT_EQ(specs.size(), 1u);
  EXPECT_EQ(specs[0].kind, HostSpec::Kind::Local);
  EXPECT_EQ(specs[0].id, "local");
  EXPECT_TRUE(specs[0].shares_disk());
  EXPECT_TRUE(specs[0].gives_gpus());
  EXPECT_TRUE(specs[0].launcher.is_null());
}

TEST(HostSpec, EveryMachineIsAHostAndServicesAreRankedByTheirOrder) {
  proto::ExperimentConfig config;
  proto::RemoteService remote{{machine("a"), machine("b")}};
  remote.machines[0].slots = 3;
  remote.machines[0].gpus.max_trials_per_gpu = 2;
  remote.machines[1].python_path = "/opt/py/bin";
  config.training_services = {remote, proto::LocalService{}};
  const auto specs = host_specs(config);
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_EQ(specs[0].id, "ana@a:2222");
  EXPECT_EQ(specs[0].kind, HostSpec::Kind::Remote);
  EXPECT_FALSE(specs[0].shares_disk());
  EXPECT_EQ(specs[0].slots, 3);
  EXPECT_EQ(specs[0].gpus.max_trials_per_gpu, 2);
  EXPECT_EQ(specs[1].python_path, "/opt/py/bin");
  EXPECT_EQ(specs[1].rank, 0);
  EXPECT_EQ(specs[2].id, "local");
  EXPECT_EQ(specs[2].rank, 1);
}

TEST(HostSpec, AClusterIsOneHostWhoseLauncherKnowsItsOptions) {
  proto::ExperimentConfig config;
  config.trial_gpu_number = 2;
  proto::SlurmService slurm;
  slurm.partition = "gpu";
  slurm.time_limit = "1:00:00";
  slurm.gres_type = "gpu:a100";
  slurm.cpus_per_task = 4;
  slurm.directives = {"--constraint=fast"};
  slurm.prologue = "module load cuda";
  config.training_services = {slurm};
  const auto specs = host_specs(config);
  ASSERT_EQ(specs.size(), 1u);
  EXPECT_EQ(specs[0].kind, HostSpec::Kind::Slurm);
  EXPECT_EQ(specs[0].id, "slurm");
  EXPECT_FALSE(specs[0].gives_gpus());
  EXPECT_EQ(specs[0].launcher["kind"], "slurm");
  EXPECT_EQ(specs[0].launcher["prologue"], "module load cuda");
  EXPECT_EQ(specs[0].launcher["directives"],
            Json({"--partition=gpu", "--time=1:00:00", "--cpus-per-task=4", "--gres=gpu:a100:2", "--constraint=fast"}));
}

TEST(HostSpec, AClusterIsAskedForNoGpusWhereTrialsWantNone) {
  proto::ExperimentConfig config;
  config.trial_gpu_number = 0;
  config.training_services = {proto::SlurmService{}};
  EXPECT_EQ(host_specs(config).at(0).launcher["directives"], Json::array());
}

TEST(HostSpec, AClusterBehindASubmitHostHasADiskOfItsOwn) {
  proto::ExperimentConfig config;
  proto::SlurmService slurm;
  slurm.submit_host = machine("login").address;
  config.training_services = {slurm};
  const HostSpec spec = host_specs(config).at(0);
  EXPECT_EQ(spec.id, "slurm:ana@login:2222");
  EXPECT_FALSE(spec.shares_disk());
}

TEST(HostSpec, APaiIsOneHostWhoseLauncherHasNoToken) {
  proto::ExperimentConfig config;
  config.trial_gpu_number = 2;
  proto::PaiService pai;
  pai.url = "https://pai.lan:8443";
  pai.user = "ana";
  pai.token = proto::Secret("s3cret");
  pai.memory_mb = 4096;
  pai.local_mount_point = "/mnt/nfs";
  pai.container_mount_point = "/data";
  pai.slots = 5;
  config.training_services = {pai};
  const HostSpec spec = host_specs(config).at(0);
  EXPECT_EQ(spec.kind, HostSpec::Kind::Pai);
  EXPECT_EQ(spec.id, "pai:ana@pai.lan:8443");
  EXPECT_EQ(spec.slots, 5);
  EXPECT_FALSE(spec.gives_gpus());
  EXPECT_TRUE(spec.shares_disk());
  EXPECT_TRUE(spec.copies_code());
  EXPECT_EQ(spec.launcher["gpus"], 2);
  EXPECT_EQ(spec.launcher["local_mount"], "/mnt/nfs");
  EXPECT_EQ(spec.launcher.dump().find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace lathe::manager
