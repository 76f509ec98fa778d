#include "hosts/ssh/host_probe.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Verdict = HostCheck::Verdict;

namespace {

constexpr auto kPatience = 25s;
constexpr std::size_t kMostBytes = 256 * 1024;
constexpr std::int64_t kLittleDisk = 1'000'000'000;  // a warning below it
constexpr double kGigabyte = 1e9;

/// The lines that begin with `LATHE:key `, without that.
class Facts {
 public:
  explicit Facts(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("LATHE:")) lines_.push_back(line.substr(6));
    }
  }

  [[nodiscard]] bool has(std::string_view key) const { return !all(key).empty(); }
  [[nodiscard]] std::string first(std::string_view key) const {
    const auto found = all(key);
    return found.empty() ? std::string() : found.front();
  }
  [[nodiscard]] std::vector<std::string> all(std::string_view key) const {
    std::vector<std::string> found;
    for (const std::string& line : lines_) {
      if (line == key) found.emplace_back();
      if (line.starts_with(std::string(key) + " ")) found.push_back(line.substr(key.size() + 1));
    }
    return found;
  }

 private:
  std::vector<std::string> lines_;
};

/// The steps up to the login, of which `stage` is the one that failed; none: none did.
void add_ways_in(HostTest& test, const proto::SshAddress& address, const std::optional<SshTrouble>& trouble) {
  const std::array<std::pair<const char*, std::string>, 3> steps{{
      {"connection", fmt::format("{} answers", address.name())},
      {"host key", "it is the one that ssh knows"},
      {"login", "it lets us in"},
  }};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto failed = trouble ? static_cast<std::size_t>(trouble->stage) : steps.size();
    HostCheck check{steps[i].first, Verdict::Ok, steps[i].second};
    if (i == failed) check = {steps[i].first, Verdict::Failed, trouble->advice};
    if (i > failed) check = {steps[i].first, Verdict::Skipped, ""};
    test.checks.push_back(std::move(check));
  }
}

HostCheck folder_check(const Facts& facts) {
  if (const std::string folder = facts.first("folder"); !folder.empty()) return {"folder", Verdict::Ok, folder};
  return {
      "folder", Verdict::Failed,
      fmt::format("{} cannot be written to: free it for this user, or set LATHE_HOME there", facts.first("nofolder"))};
}

HostCheck disk_check(std::int64_t free_bytes) {
  const std::string text = fmt::format("{:.1f} GB free", static_cast<double>(free_bytes) / kGigabyte);
  return {"disk", free_bytes < kLittleDisk ? Verdict::Warning : Verdict::Ok, text};
}

HostCheck disk_check(const Facts& facts) {
  const std::string text = facts.first("disk");
  std::int64_t kilobytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), kilobytes);
  if (error != std::errc{} || end != text.data() + text.size())
    return {"disk", Verdict::Warning, "df does not tell how much is free"};
  return disk_check(kilobytes * 1024);
}

/// The agent's program is linked for one kind of machine.
HostCheck agent_check(const Facts& facts) {
  const std::string system = facts.first("system");
  if (!system.starts_with("Linux "))
    return {"agent", Verdict::Failed, fmt::format("it runs {}; lathe-agent needs Linux", system)};
  const std::string version = facts.first("agent");
  const bool tells_version = !version.empty() && version.front() >= '0' && version.front() <= '9';
  if (facts.has("agent") && !tells_version)
    return {"agent", Verdict::Failed, fmt::format("lathe-agent does not run there ({}): {}", system, version)};
  if (facts.has("agent")) return {"agent", Verdict::Ok, "lathe-agent " + version};
  return {"agent", Verdict::Ok, "not there yet; it is brought with the first connection"};
}

HostCheck gpu_check(const std::vector<std::string>& gpus) {
  if (gpus.empty()) return {"GPUs", Verdict::Skipped, "no nvidia-smi: trials with trialGpuNumber cannot run there"};
  if (gpus.front().find("failed") != std::string::npos || gpus.front().find("rror") != std::string::npos)
    return {"GPUs", Verdict::Failed, "nvidia-smi: " + gpus.front()};
  std::string text = fmt::format("{}: {}", gpus.size(), gpus.front());
  for (std::size_t i = 1; i < gpus.size(); ++i) text += ", " + gpus[i];
  return {"GPUs", Verdict::Ok, text};
}

HostCheck program_check(const std::string& found, const std::string& version) {
  if (found.empty()) return {"trial program", Verdict::Ok, "no lathe-trial; this machine's is sent when it is needed"};
  if (found.ends_with(" " + version)) return {"trial program", Verdict::Ok, found};
  return {"trial program", Verdict::Warning,
          fmt::format("{} is not version {}; this machine's is sent when it is needed", found, version)};
}

/// Until the other end has nothing more to say.
asio::awaitable<ProbeOutput> run_probe(asio::any_io_executor executor, SshProcess& process) {
  AgentLink::Socket socket(executor, asio::local::stream_protocol(), process.take_socket());
  ProbeOutput output;
  asio::steady_timer late(executor, kPatience);
  late.async_wait([&](boost::system::error_code error) {
    if (error) return;
    output.late = true;
    boost::system::error_code ignored;
    socket.cancel(ignored);
  });
  boost::system::error_code ended;
  co_await asio::async_read(socket, asio::dynamic_buffer(output.facts, kMostBytes),
                            asio::redirect_error(asio::use_awaitable, ended));
  late.cancel();
  output.complaint = process.complaint();
  co_return output;
}

}  // namespace

std::optional<proto::SshAddress> parse_ssh_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  proto::SshAddress address;
  if (const std::size_t at = name.rfind('@'); at != std::string_view::npos) {
    address.user = name.substr(0, at);
    name.remove_prefix(at + 1);
    if (address.user.empty()) return std::nullopt;
  }
  if (const std::size_t colon = name.rfind(':'); colon != std::string_view::npos) {
    const std::string_view port = name.substr(colon + 1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65535) return std::nullopt;
    address.port = number;
    name.remove_suffix(port.size() + 1);
  }
  address.host = name;
  const auto is_word = [&](std::string_view word) {
    return word.find_first_not_of(allowed) == std::string_view::npos && !word.starts_with('-');
  };
  if (address.host.empty() || !is_word(address.host) || !is_word(address.user)) return std::nullopt;
  return address;
}

HostTest judge_probe(const ProbeOutput& output, const proto::SshAddress& address, const std::string& version) {
  HostTest test{address.name(), {}};
  const Facts facts(output.facts);
  if (!facts.has("system")) {
    SshTrouble trouble = diagnose_ssh(output.complaint, address);
    if (output.late) trouble = {SshStage::Connection, fmt::format("{} does not answer", address.name())};
    const bool came_in = trouble.stage == SshStage::Session;
    add_ways_in(test, address, came_in ? std::nullopt : std::optional(trouble));
    if (came_in) test.checks.push_back({"session", Verdict::Failed, trouble.advice});
    return test;
  }
  add_ways_in(test, address, std::nullopt);
  test.checks.back().detail = fmt::format("as {}", facts.first("user"));
  test.checks.push_back(folder_check(facts));
  test.checks.push_back(disk_check(facts));
  test.checks.push_back(agent_check(facts));
  if (!facts.has("end")) {
    test.checks.push_back({"session", Verdict::Failed, "it stopped in the middle of the test"});
    return test;
  }
  test.checks.push_back(gpu_check(facts.all("gpu")));
  test.checks.push_back(program_check(facts.first("trial"), version));
  return test;
}

asio::awaitable<HostTest> probe_host(asio::any_io_executor executor, std::shared_ptr<const SshMachine> machine) {
  auto started =
      SshProcess::start(ssh_alone(machine->address, machine->settings, probe_command(machine->agent, machine->daemon)),
                        machine->environment);
  if (!started) co_return HostTest{machine->address.name(), {{"connection", Verdict::Failed, started.error().message}}};
  const ProbeOutput output = co_await run_probe(executor, **started);
  co_return judge_probe(output, machine->address, LATHE_VERSION);
}

HostTest judge_status(const HostStatus& status) {
  HostTest test{status.spec.id, {}};
  if (!status.hello) {
    test.checks.push_back({"agent", Verdict::Failed, status.trouble});
    return test;
  }
  test.checks.push_back(
      {"agent", Verdict::Ok, fmt::format("lathe-agent {} (pid {})", status.hello->version, status.hello->pid)});
  if (!status.report) return test;
  test.checks.push_back(disk_check(status.report->disk_free_bytes));
  std::vector<std::string> gpus;
  for (const proto::Gpu& gpu : status.report->gpus) gpus.push_back(gpu.name);
  HostCheck check = gpu_check(gpus);
  if (!status.report->gpu_error.empty()) check = {"GPUs", Verdict::Failed, status.report->gpu_error};
  test.checks.push_back(std::move(check));
  return test;
}

}  // namespace lathe::manager
