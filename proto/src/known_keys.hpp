// Every key that a config may have, in its canonical spelling, and every name that a value may take.
#pragma once

#include <array>
#include <string_view>

#include <lathe/proto/compression_config.hpp>
#include <lathe/proto/experiment_config.hpp>

#include "reader.hpp"

namespace lathe::proto {
namespace keys {

inline constexpr auto experiment = std::to_array<std::string_view>({"experimentName",
                                                                    "experimentType",
                                                                    "searchSpace",
                                                                    "searchSpaceFile",
                                                                    "trialCommand",
                                                                    "trialCodeDirectory",
                                                                    "trialConcurrency",
                                                                    "trialGpuNumber",
                                                                    "maxTrialNumber",
                                                                    "maxExperimentDuration",
                                                                    "maxTrialDuration",
                                                                    "compression",
                                                                    "tuner",
                                                                    "assessor",
                                                                    "advisor",
                                                                    "maxRetries",
                                                                    "trainingService",
                                                                    "useAnnotation",
                                                                    "nniManagerIp",
                                                                    "debug",
                                                                    "logLevel",
                                                                    "experimentWorkingDirectory",
                                                                    "tunerGpuIndices",
                                                                    "sharedStorage"});

inline constexpr auto retries = std::to_array<std::string_view>({"lost", "failed"});

inline constexpr auto local_service = std::to_array<std::string_view>(
    {"platform", "trialCommand", "trialCodeDirectory", "trialGpuNumber", "nniManagerIp", "debug", "reuseMode",
     "remoteConfig", "useActiveGpu", "maxTrialNumberPerGpu", "maxTrialNumPerGpu", "gpuIndices", "slots"});
inline constexpr auto remote_service =
    std::to_array<std::string_view>({"platform", "trialCommand", "trialCodeDirectory", "trialGpuNumber", "nniManagerIp",
                                     "debug", "reuseMode", "remoteConfig", "machineList"});
/// NNI's keys in v2's spelling and v1's, and ours: slots, labels.
inline constexpr auto machine = std::to_array<std::string_view>(
    {"host", "ip", "port", "user", "username", "password", "passwd", "sshKeyFile", "sshKeyPath", "sshPassphrase",
     "passphrase", "useActiveGpu", "maxTrialNumberPerGpu", "maxTrialNumPerGpu", "gpuIndices", "pythonPath", "slots",
     "labels"});
inline constexpr auto ssh_address =
    std::to_array<std::string_view>({"host", "ip", "port", "user", "username", "password", "passwd", "sshKeyFile",
                                     "sshKeyPath", "sshPassphrase", "passphrase"});
inline constexpr auto slurm_service = std::to_array<std::string_view>(
    {"platform", "trialCommand", "trialCodeDirectory", "trialGpuNumber", "nniManagerIp", "debug", "reuseMode",
     "remoteConfig", "submitHost", "partition", "account", "qos", "timeLimit", "gresType", "cpusPerTask", "memory",
     "directives", "prologue", "slots"});
/// NNI's keys in v2's spelling and v1's, and ours: caFile, slots.
inline constexpr auto pai_service = std::to_array<std::string_view>({"platform",
                                                                     "trialCommand",
                                                                     "trialCodeDirectory",
                                                                     "trialGpuNumber",
                                                                     "nniManagerIp",
                                                                     "debug",
                                                                     "reuseMode",
                                                                     "remoteConfig",
                                                                     "host",
                                                                     "username",
                                                                     "token",
                                                                     "trialCpuNumber",
                                                                     "trialMemorySize",
                                                                     "dockerImage",
                                                                     "virtualCluster",
                                                                     "storageConfigName",
                                                                     "localStorageMountPoint",
                                                                     "containerStorageMountPoint",
                                                                     "openpaiConfig",
                                                                     "openpaiConfigFile",
                                                                     "caFile",
                                                                     "slots",
                                                                     "paiConfig",
                                                                     "memoryMB"});
/// v1's section of its own.
inline constexpr auto pai_config = std::to_array<std::string_view>(
    {"host", "userName", "token", "passWord", "reuse", "maxTrialNumPerGpu", "useActiveGpu"});

inline constexpr auto tuner = std::to_array<std::string_view>({"name", "className", "codeDirectory", "classArgs"});
inline constexpr auto random_args = std::to_array<std::string_view>({"seed", "optimize_mode"});
inline constexpr auto anneal_args =
    std::to_array<std::string_view>({"optimize_mode", "seed", "parallel_optimize", "constant_liar_type"});
inline constexpr auto tpe_args = std::to_array<std::string_view>({"optimize_mode", "seed", "tpe_args"});
inline constexpr auto tpe_settings = std::to_array<std::string_view>(
    {"constant_liar_type", "n_startup_jobs", "n_ei_candidates", "linear_forgetting", "prior_weight", "gamma"});

inline constexpr auto compression = std::to_array<std::string_view>(
    {"model", "inputShape", "data", "evaluation", "finetuning", "sparsifying", "calibration", "objective", "latency",
     "speedup", "export", "configList", "device", "threads", "seed", "warm"});
inline constexpr auto data =
    std::to_array<std::string_view>({"format", "train", "test", "normalize", "resize", "crop", "augment"});
inline constexpr auto idx_part = std::to_array<std::string_view>({"images", "labels", "range"});
inline constexpr auto cifar_part = std::to_array<std::string_view>({"files", "file", "range"});
inline constexpr auto tensor_part = std::to_array<std::string_view>({"file", "range"});
inline constexpr auto npy_part = std::to_array<std::string_view>({"inputs", "targets", "range"});
inline constexpr auto image_part = std::to_array<std::string_view>({"folder", "range"});
inline constexpr auto augment = std::to_array<std::string_view>({"randomCrop", "padding", "horizontalFlip"});
inline constexpr auto normalize = std::to_array<std::string_view>({"mean", "std"});
inline constexpr auto evaluation = std::to_array<std::string_view>({"metric", "batchSize"});
inline constexpr auto finetuning = std::to_array<std::string_view>(
    {"epochs", "optimizer", "optimizerArgs", "learningRate", "batchSize", "schedule", "clipNorm", "clipValue", "loss",
     "labelSmoothing", "distillation", "earlyStop", "restoreBest", "freezeBatchNorm"});
inline constexpr auto sparsifying = std::to_array<std::string_view>(
    {"epochs", "optimizer", "optimizerArgs", "learningRate", "batchSize", "schedule", "clipNorm", "clipValue"});
inline constexpr auto schedule = std::to_array<std::string_view>(
    {"type", "stepSize", "gamma", "milestones", "minLearningRate", "warmupEpochs", "warmupSteps"});
inline constexpr auto distillation = std::to_array<std::string_view>({"temperature", "alpha"});
inline constexpr auto early_stop = std::to_array<std::string_view>({"patience", "minDelta"});
inline constexpr auto calibration = std::to_array<std::string_view>({"batches", "batchSize"});
inline constexpr auto sgd_args = std::to_array<std::string_view>({"momentum", "weight_decay", "nesterov", "dampening"});
inline constexpr auto adam_args = std::to_array<std::string_view>({"beta1", "beta2", "betas", "eps", "weight_decay"});
inline constexpr auto objective = std::to_array<std::string_view>({"metric", "maxAccuracyDrop"});
inline constexpr auto latency = std::to_array<std::string_view>({"runs", "warmup", "batchSize"});
inline constexpr auto speedup = std::to_array<std::string_view>({"roundTo"});
inline constexpr auto exports = std::to_array<std::string_view>({"int8", "onnx", "stateDict"});

}  // namespace keys

namespace names {

inline constexpr NameTable<TunerKind, 3> tuners{
    {{"TPE", TunerKind::Tpe}, {"Random", TunerKind::Random}, {"Anneal", TunerKind::Anneal}}};
inline constexpr NameTable<OptimizeMode, 2> optimize_modes{
    {{"minimize", OptimizeMode::Minimize}, {"maximize", OptimizeMode::Maximize}}};

inline constexpr NameTable<DataFormat, 6> data_formats{{{"idx", DataFormat::Idx},
                                                        {"cifar10", DataFormat::Cifar10},
                                                        {"cifar100", DataFormat::Cifar100},
                                                        {"tensor", DataFormat::Tensor},
                                                        {"npy", DataFormat::Npy},
                                                        {"images", DataFormat::Images}}};
inline constexpr NameTable<EvaluationMetric, 2> evaluation_metrics{
    {{"accuracy", EvaluationMetric::Accuracy}, {"loss", EvaluationMetric::Loss}}};
inline constexpr NameTable<OptimizerKind, 3> optimizers{
    {{"sgd", OptimizerKind::Sgd}, {"adam", OptimizerKind::Adam}, {"adamw", OptimizerKind::AdamW}}};
inline constexpr NameTable<LearningRateKind, 4> schedules{{{"constant", LearningRateKind::Constant},
                                                           {"step", LearningRateKind::Step},
                                                           {"multistep", LearningRateKind::Multistep},
                                                           {"cosine", LearningRateKind::Cosine}}};
inline constexpr NameTable<LossKind, 4> losses{{{"crossEntropy", LossKind::CrossEntropy},
                                                {"nll", LossKind::Nll},
                                                {"mse", LossKind::Mse},
                                                {"bceWithLogits", LossKind::BceWithLogits}}};
inline constexpr NameTable<ObjectiveMetric, 9> objective_metrics{{{"accuracy", ObjectiveMetric::Accuracy},
                                                                  {"loss", ObjectiveMetric::Loss},
                                                                  {"sparsity", ObjectiveMetric::Sparsity},
                                                                  {"speedup", ObjectiveMetric::Speedup},
                                                                  {"parameters", ObjectiveMetric::Parameters},
                                                                  {"macs", ObjectiveMetric::Macs},
                                                                  {"sizeBytes", ObjectiveMetric::SizeBytes},
                                                                  {"effectiveBytes", ObjectiveMetric::EffectiveBytes},
                                                                  {"latencyMs", ObjectiveMetric::LatencyMs}}};

}  // namespace names
}  // namespace lathe::proto
