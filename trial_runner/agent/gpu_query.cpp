#include "gpu_query.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include <boost/asio/post.hpp>

#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

constexpr std::chrono::milliseconds patience{10'000};
constexpr std::int64_t mebibyte = 1 << 20;
constexpr int no_devices = 6;  ///< exit code of nvidia-smi
constexpr std::size_t most_quoted = 200;

std::filesystem::path find_program() {
  if (const char* named = std::getenv("LATHE_NVIDIA_SMI"); named != nullptr) return named;
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path != nullptr ? path : "") + ":/usr/bin:/usr/local/bin:/opt/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/nvidia-smi";
    if (folder.starts_with('/') && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::string quoted(std::string_view line) {
  return "\"" + to_valid_utf8(line.substr(0, most_quoted)) + "\"";
}

/// "0, GPU-…, NVIDIA H100, 81559, 1024, 17"; a name may hold commas.
std::optional<proto::Gpu> parse_gpu(std::string_view line) {
  const auto fields = split(line, ',');
  if (fields.size() < 6 || !number(fields[0]) || fields[1].empty()) return std::nullopt;
  const std::size_t last = fields.size() - 1;
  proto::Gpu gpu;
  gpu.index = *number(fields[0]);
  gpu.uuid = to_valid_utf8(fields[1]);
  const char* const name_end = fields[last - 3].data() + fields[last - 3].size();
  gpu.name = to_valid_utf8({fields[2].data(), static_cast<std::size_t>(name_end - fields[2].data())});
  gpu.memory_bytes = number(fields[last - 2]).value_or(0) * mebibyte;
  gpu.memory_used_bytes = number(fields[last - 1]).value_or(0) * mebibyte;
  gpu.utilization = std::min<std::int64_t>(number(fields[last]).value_or(0), 100);
  return gpu;
}

/// "GPU-…, 4711, /usr/bin/python3"; false: it is no such line.
bool add_process(std::string_view line, std::vector<proto::Gpu>& gpus) {
  const auto fields = split(line, ',');
  const auto pid = fields.size() >= 3 ? number(fields[1]) : std::nullopt;
  if (!pid) return false;
  const auto gpu = std::find_if(gpus.begin(), gpus.end(), [&](const auto& item) { return item.uuid == fields[0]; });
  if (gpu == gpus.end()) return true;
  proto::GpuProcess process;
  process.pid = *pid;
  const std::string_view path = trimmed(line.substr(static_cast<std::size_t>(fields[2].data() - line.data())));
  if (!path.starts_with('[')) process.name = to_valid_utf8(path.substr(path.rfind('/') + 1));
  gpu->processes.push_back(std::move(process));
  return true;
}

GpuState state_of(const ProgramOutput& run) {
  if (!run.exit_code) return {{}, "nvidia-smi: " + run.error};
  if (*run.exit_code == no_devices) return {};
  if (*run.exit_code != 0) {
    const auto lines = split(run.output, '\n');
    return {{}, "nvidia-smi: exit code " + std::to_string(*run.exit_code) + ": " + quoted(lines.front())};
  }
  auto gpus = parse_gpus(run.output);
  if (!gpus) return {{}, "nvidia-smi: " + gpus.error().message};
  return {std::move(*gpus), ""};
}

}  // namespace

GpuQuery::GpuQuery(boost::asio::io_context& io, Children& children, std::filesystem::path program)
    : io_(io), children_(children), program_(std::move(program)) {}

GpuQuery::~GpuQuery() {
  if (run_) run_->stop();
}

void GpuQuery::start(Done done) {
  const auto program = program_.empty() ? find_program() : program_;
  if (program.empty()) {
    GpuState state;
    std::error_code error;
    if (std::filesystem::exists("/proc/driver/nvidia/gpus", error)) {
      state.error = "this host has an NVIDIA driver, but nvidia-smi is not on PATH";
    }
    return boost::asio::post(io_, [done = std::move(done), state = std::move(state)] { done(state); });
  }
  const std::string smi = shell_quoted(program.string());
  const std::string format = " --format=csv,noheader,nounits";
  run_ = ProgramRun::start(io_, children_,
                           smi + " --query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu" + format +
                               " && echo && exec " + smi + " --query-compute-apps=gpu_uuid,pid,process_name" + format,
                           patience, [done = std::move(done)](const ProgramOutput& run) { done(state_of(run)); });
}

proto::Result<std::vector<proto::Gpu>> parse_gpus(std::string_view output) {
  std::vector<proto::Gpu> gpus;
  bool is_process = false;
  for (const std::string_view line : split(output, '\n')) {
    if (line.empty()) {
      is_process = true;
    } else if (is_process) {
      if (!add_process(line, gpus)) return proto::fail("not understood: " + quoted(line));
    } else {
      auto gpu = parse_gpu(line);
      if (!gpu) return proto::fail("not understood: " + quoted(line));
      gpus.push_back(std::move(*gpu));
    }
  }
  return gpus;
}

}  // namespace lathe::agent
