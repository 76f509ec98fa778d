#include "hosts/ssh/ssh_connector.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <random>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <lathe/proto/file_stream.hpp>

namespace lathe::manager {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using boost::system::error_code;

namespace {

constexpr auto kPatience = 90s;                 // for logging in, sending the agent and its start
constexpr std::size_t kMostNoise = 64 * 1024;   // that a login shell may print before our first word
constexpr std::size_t kLongestSocketPath = 80;  // ssh adds some characters of its own to the system's limit of 107

/// A folder for control sockets whose name is short enough.
proto::Result<fs::path> socket_folder(const fs::path& data_dir) {
  fs::path folder = data_dir / "ssh";
  if (folder.string().size() + 16 > kLongestSocketPath)
    folder = fmt::format("/tmp/lathe-{}-{}", ::getuid(), proto::hash_of_text(data_dir.string()).substr(0, 8));
  std::error_code error;
  fs::create_directories(folder, error);
  struct stat status {};
  if (error || ::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      ::chmod(folder.c_str(), 0700) != 0) {
    return proto::fail(fmt::format("cannot make {} a folder of this user alone", folder.string()));
  }
  return folder;
}

proto::Result<AgentImage> image_of(const fs::path& program) {
  const auto hash = proto::hash_of_file(program);
  if (!hash) return tl::unexpected(hash.error());
  std::error_code error;
  const std::uint64_t size = fs::file_size(program, error);
  if (error) return proto::fail(fmt::format("cannot read {}: {}", program.string(), error.message()));
  return AgentImage{program, size, *hash};
}

auto with_error(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

/// One line, read byte by byte so that nothing behind it is taken: what follows are frames.
asio::awaitable<proto::Result<std::string>> read_line(AgentLink::Socket& socket, std::size_t& budget) {
  std::string line;
  for (;;) {
    char byte = 0;
    error_code error;
    co_await asio::async_read(socket, asio::buffer(&byte, 1), with_error(error));
    if (error) co_return proto::fail("the connection ended");
    if (byte == '\n') co_return line;
    if (budget-- == 0) co_return proto::fail("its login shell prints too much");
    if (byte != '\r') line += byte;
  }
}

asio::awaitable<proto::Result<void>> send_agent(AgentLink::Socket& socket, const AgentImage& agent) {
  std::ifstream file(agent.file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.size() != agent.size || proto::hash_of_text(bytes) != agent.hash)
    co_return proto::fail(fmt::format("{} has changed since lathed was started: start it anew", agent.file.string()));
  error_code error;
  co_await asio::async_write(socket, asio::buffer(bytes), with_error(error));
  if (error) co_return proto::fail("the connection ended while the agent was being sent");
  co_return proto::Result<void>();
}

}  // namespace

proto::Result<SshMachine> SshMachine::make(const proto::SshAddress& address, const fs::path& agent_program,
                                           const fs::path& data_dir, const std::string& daemon,
                                           const SecretStore& secrets, const fs::path& config_file) {
  const auto folder = socket_folder(data_dir);
  if (!folder) return tl::unexpected(folder.error());
  auto agent = image_of(agent_program);
  if (!agent) return tl::unexpected(agent.error());
  const std::string host = address.name();
  SshMachine machine;
  machine.address = address;
  machine.settings = {*folder / (proto::hash_of_text(host).substr(0, 8) + "."), config_file, secrets.has(host)};
  machine.agent = std::move(*agent);
  machine.daemon = daemon;
  if (machine.settings.has_secret) {
    machine.environment = {{"SSH_ASKPASS", secrets.askpass().string()},
                           {"SSH_ASKPASS_REQUIRE", "force"},
                           {"LATHE_SSH_PASSWORD_FILE", secrets.password_file(host).string()},
                           {"LATHE_SSH_PASSPHRASE_FILE", secrets.passphrase_file(host).string()}};
  }
  return machine;
}

SshConnector::SshConnector(asio::any_io_executor executor, std::shared_ptr<const SshMachine> machine)
    : executor_(std::move(executor)), machine_(std::move(machine)) {}

asio::awaitable<proto::Result<AgentLink::Socket>> SshConnector::connect() {
  process_.reset();
  if (cancelled_) co_return proto::fail("it is not wanted any more");
  settings_ = machine_->settings;
  settings_.control_socket += fmt::format("{:07x}", std::random_device{}() & 0xfffffffu);
  auto started =
      SshProcess::start(ssh_master(machine_->address, settings_, attach_command(machine_->agent, machine_->daemon)),
                        machine_->environment);
  if (!started) co_return tl::unexpected(started.error());
  process_ = std::move(*started);
  AgentLink::Socket socket(executor_, asio::local::stream_protocol(), process_->take_socket());
  asio::steady_timer late(executor_, kPatience);
  bool is_late = false;
  late.async_wait([&socket, &is_late](error_code error) {
    if (error) return;
    is_late = true;
    error_code ignored;
    socket.cancel(ignored);
  });
  proto::Result<void> begun = co_await begin(socket);
  late.cancel();
  if (begun) co_return socket;
  const std::string complaint = process_->complaint();
  process_.reset();
  if (is_late)
    co_return proto::fail(fmt::format("{} did not answer in {}s", machine_->address.name(), kPatience.count()));
  co_return proto::fail(complaint.empty() ? begun.error().message : explain_ssh(complaint, machine_->address));
}

void SshConnector::cancel() {
  cancelled_ = true;
  if (process_) process_->terminate();
}

std::string SshConnector::complaint() const {
  const std::string text = process_ ? process_->complaint() : std::string();
  return text.empty() ? text : explain_ssh(text, machine_->address);
}

asio::awaitable<proto::Result<void>> SshConnector::begin(AgentLink::Socket& socket) {
  std::size_t budget = kMostNoise;
  for (;;) {
    proto::Result<std::string> line = co_await read_line(socket, budget);
    if (!line) co_return tl::unexpected(line.error());
    if (*line == bootstrap_ready) co_return proto::Result<void>();
    if (line->starts_with(bootstrap_failed)) co_return proto::fail(line->substr(bootstrap_failed.size() + 1));
    if (*line != bootstrap_needs) continue;
    if (auto sent = co_await send_agent(socket, machine_->agent); !sent) co_return sent;
  }
}

}  // namespace lathe::manager
