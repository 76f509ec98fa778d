// The GPUs of this host, as nvidia-smi tells of them.
//
// The driver's library (NVML) would tell the same, but the agent is linked statically, so that one file runs on any
// distribution, and such a program cannot load a library. It would also hang with a GPU that has fallen off the bus;
// a child that hangs is left behind.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "children.hpp"
#include "program_run.hpp"

namespace lathe::agent {

struct GpuState {
  std::vector<proto::Gpu> gpus;
  std::string error;  ///< why they could not be looked at, although there seem to be some
};

/// Loop thread only.
class GpuQuery {
 public:
  using Done = std::function<void(GpuState)>;

  /// `program`: nvidia-smi; empty: $LATHE_NVIDIA_SMI, else the one on PATH or in the usual places, if any.
  GpuQuery(boost::asio::io_context& io, Children& children, std::filesystem::path program);
  ~GpuQuery();
  GpuQuery(const GpuQuery&) = delete;
  GpuQuery& operator=(const GpuQuery&) = delete;

  /// Calls `done` once, from the loop. Processes have a pid and, where nvidia-smi knows it, a name. One at a time.
  void start(Done done);

 private:
  boost::asio::io_context& io_;
  Children& children_;
  std::filesystem::path program_;
  std::shared_ptr<ProgramRun> run_;
};

/// What `nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu --format=csv,noheader,nounits`
/// prints, and after an empty line `--query-compute-apps=gpu_uuid,pid,process_name` likewise. What a GPU does not tell
/// ("[N/A]") is 0; an error quotes the line that is no answer.
[[nodiscard]] proto::Result<std::vector<proto::Gpu>> parse_gpus(std::string_view output);

}  // namespace lathe::agent
