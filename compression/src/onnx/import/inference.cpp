#include "onnx/import/inference.hpp"

#include <cerrno>
#include <csignal>
#include <exception>
#include <fstream>
#include <string>

#include <onnx/shape_inference/implementation.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lathe::compression::onnx_in {
namespace {

constexpr unsigned kSeconds = 60;
constexpr rlim_t kMemory = rlim_t{2} << 30;
constexpr std::size_t kMostBytes = std::size_t{1} << 28;  ///< of the answer

/// Ends the process when it takes too long or too much.
void limit_process() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  if (statm >> pages) {
    const rlim_t bytes = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kMemory;
    const rlimit limit{bytes, bytes};
    (void)setrlimit(RLIMIT_AS, &limit);
  }
  const rlimit no_core{0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(number, SIG_DFL);
  (void)alarm(kSeconds);
}

void write_all(int descriptor, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (written <= 0) _exit(1);
    done += static_cast<std::size_t>(written);
  }
}

[[noreturn]] void run_child(onnx::ModelProto& model, int descriptor) {
  limit_process();
  try {
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), {false, 0, true});
    onnx::GraphProto answer;
    answer.mutable_value_info()->Swap(model.mutable_graph()->mutable_value_info());
    write_all(descriptor, answer.SerializeAsString());
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

std::string read_all(int descriptor) {
  std::string bytes;
  char block[65536];
  while (bytes.size() < kMostBytes) {
    const ssize_t count = read(descriptor, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    bytes.append(block, static_cast<std::size_t>(count));
  }
  return bytes;
}

bool ended_well(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

onnx::GraphProto infer_values(onnx::ModelProto& model) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run_child(model, ends[1]);
  }
  close(ends[1]);
  const std::string bytes = child > 0 ? read_all(ends[0]) : std::string();
  close(ends[0]);
  onnx::GraphProto answer;
  if (child < 0 || !ended_well(child) || !answer.ParseFromString(bytes)) return {};
  return answer;
}

}  // namespace lathe::compression::onnx_in
