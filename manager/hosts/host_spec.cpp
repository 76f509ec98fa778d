#include "hosts/host_spec.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

/// Options of sbatch that the service's own keys stand for, then the free ones, which have the last word.
nlohmann::ordered_json directives_of(const proto::SlurmService& service, std::optional<std::int64_t> gpus) {
  auto directives = nlohmann::ordered_json::array();
  const auto add = [&directives](const char* option, const std::string& value) {
    if (!value.empty()) directives.push_back(fmt::format("--{}={}", option, value));
  };
  add("partition", service.partition);
  add("account", service.account);
  add("qos", service.qos);
  add("time", service.time_limit);
  add("mem", service.memory);
  if (service.cpus_per_task) add("cpus-per-task", std::to_string(*service.cpus_per_task));
  if (gpus.value_or(0) > 0) {
    add("gres", fmt::format("{}:{}", service.gres_type.empty() ? "gpu" : service.gres_type, *gpus));
  }
  for (const std::string& directive : service.directives) directives.push_back(directive);
  return directives;
}

HostSpec spec_of(const proto::LocalService& service) {
  HostSpec spec;
  spec.gpus = service.gpus;
  spec.slots = service.slots;
  return spec;
}

HostSpec spec_of(const proto::RemoteMachine& machine) {
  HostSpec spec;
  spec.kind = HostSpec::Kind::Remote;
  spec.id = machine.address.name();
  spec.address = machine.address;
  spec.gpus = machine.gpus;
  spec.slots = machine.slots;
  spec.python_path = machine.python_path;
  spec.labels = machine.labels;
  return spec;
}

HostSpec spec_of(const proto::SlurmService& service, std::optional<std::int64_t> gpus) {
  HostSpec spec;
  spec.kind = HostSpec::Kind::Slurm;
  spec.id = service.name();
  spec.address = service.submit_host;
  spec.slots = service.slots;
  spec.launcher = {{"kind", "slurm"}, {"directives", directives_of(service, gpus)}, {"prologue", service.prologue}};
  return spec;
}

/// Without the token, which is nowhere but in its file (PaiHost).
HostSpec spec_of(const proto::PaiService& service, std::optional<std::int64_t> gpus) {
  HostSpec spec;
  spec.kind = HostSpec::Kind::Pai;
  spec.id = service.name();
  spec.slots = service.slots;
  spec.launcher = {{"kind", "pai"},
                   {"url", service.url},
                   {"user", service.user},
                   {"ca_file", service.ca_file.string()},
                   {"local_mount", service.local_mount_point.string()},
                   {"container_mount", service.container_mount_point},
                   {"storage", service.storage_config_name},
                   {"image", service.docker_image},
                   {"virtual_cluster", service.virtual_cluster},
                   {"cpus", service.cpus},
                   {"memory_mb", service.memory_mb},
                   {"gpus", gpus.value_or(0)},
                   {"protocol", service.job_protocol}};
  return spec;
}

}  // namespace

std::vector<HostSpec> host_specs(const proto::ExperimentConfig& config) {
  std::vector<HostSpec> specs;
  std::int64_t rank = 0;
  const auto add = [&](HostSpec spec) {
    spec.rank = rank;
    specs.push_back(std::move(spec));
  };
  for (const proto::TrainingService& service : config.training_services) {
    if (const auto* remote = std::get_if<proto::RemoteService>(&service)) {
      for (const proto::RemoteMachine& machine : remote->machines) add(spec_of(machine));
    } else if (const auto* slurm = std::get_if<proto::SlurmService>(&service)) {
      add(spec_of(*slurm, config.trial_gpu_number));
    } else if (const auto* pai = std::get_if<proto::PaiService>(&service)) {
      add(spec_of(*pai, config.trial_gpu_number));
    } else {
      add(spec_of(std::get<proto::LocalService>(service)));
    }
    ++rank;
  }
  return specs;
}

}  // namespace lathe::manager
