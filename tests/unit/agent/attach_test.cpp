// `lathe-agent --attach`: the agent's frames over standard input and output.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include <array>

#include "agent_fixture.hpp"
#include "files.hpp"

namespace lathe::agent {
namespace {

using testing::HasSubstr;

/// The program, with its standard streams in our hands.
class Attached {
 public:
  Attached(std::vector<std::string> words, const std::filesystem::path& errors, const std::filesystem::path& home) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    if (::pipe2(input.data(), O_CLOEXEC) != 0 || ::pipe2(output.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("pipe");
    input_ = Descriptor(input[1]);
    output_ = Descriptor(output[0]);
    const Descriptor its_input(input[0]);
    const Descriptor its_output(output[1]);
    words.insert(words.begin(), LATHE_AGENT_PROGRAM);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string variable = "HOME=" + home.string();
    std::array<char*, 2> environment{variable.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, its_input.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, its_output.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int code = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (code != 0) throw std::runtime_error("posix_spawn");
  }

  void send(const proto::ToAgent& message) {
    const std::string frame = proto::encode_frame(message);
    ASSERT_EQ(::write(input_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }
  /// The next message; nullopt: the stream has ended.
  std::optional<proto::FromAgent> receive() {
    for (;;) {
      const auto frame = frames_.next();
      if (!frame) throw std::runtime_error("no frame on stdout: " + frame.error().message);
      if (*frame) return proto::decode_from_agent(**frame).value();
      std::array<char, 4096> bytes{};
      const ssize_t count = ::read(output_.get(), bytes.data(), bytes.size());
      if (count <= 0) return std::nullopt;
      frames_.feed({bytes.data(), static_cast<std::size_t>(count)});
    }
  }
  void close_input() { input_.reset(); }
  int exit_code() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  Descriptor input_;
  Descriptor output_;
  pid_t pid_ = 0;
  proto::FrameReader frames_;
};

class AttachTest : public AgentTest {
 protected:
  Attached attach(const std::string& state_dir) {
    return {{"--state-dir", state_dir, "--attach", "--trial-program", trial_program_, "--nvidia-smi", nvidia_smi_},
            errors_,
            folder_.path()};
  }
  /// Takes the Hello, so that the fixture ends the agent.
  void greet(Attached& attached) {
    const auto message = attached.receive();
    ASSERT_TRUE(message);
    agent_ = static_cast<pid_t>(std::get<proto::Hello>(*message).pid);
  }

  std::filesystem::path errors_ = folder_.path() / "errors";
};

TEST_F(AttachTest, StartsTheAgentAndCarriesFrames) {
  auto attached = attach(state_);
  greet(attached);
  attached.send(trial("a", "exit 3"));
  for (;;) {
    const auto message = attached.receive();
    ASSERT_TRUE(message);
    const auto* event = std::get_if<proto::SequencedEvent>(&*message);
    const auto* exited = event != nullptr ? std::get_if<proto::TrialExited>(&event->event) : nullptr;
    if (exited == nullptr) continue;
    EXPECT_EQ(exited->exit_code, 3);
    break;
  }
  attached.close_input();
  while (attached.receive()) continue;
  EXPECT_EQ(attached.exit_code(), 0);
  EXPECT_EQ(content_of(errors_), "");
}

TEST_F(AttachTest, AttachesToTheAgentThatRuns) {
  const auto daemon = start_agent();
  auto attached = attach(state_);
  greet(attached);
  EXPECT_EQ(agent_, daemon->hello().pid);
  EXPECT_FALSE(daemon->next()) << "the new connection replaces the old one";
}

TEST_F(AttachTest, EndsWithTheAgent) {
  auto attached = attach(state_);
  greet(attached);
  attached.send(proto::Shutdown{"requeue", 0});
  while (attached.receive()) continue;
  EXPECT_EQ(attached.exit_code(), 0);
  EXPECT_EQ(wait_for_agent(), 0);
}

TEST_F(AttachTest, CarriesMoreThanAPipeHolds) {
  auto attached = attach(state_);
  greet(attached);
  auto start = trial("a", "wc -c < $NNI_SYS_DIR/parameter.cfg > $NNI_SYS_DIR/size");
  start.parameter_file = std::string(3'000'000, 'x');
  attached.send(start);
  std::optional<proto::FromAgent> message;
  do message = attached.receive();
  while (message && !std::filesystem::exists(directory_of("a") / "size"));
  ASSERT_TRUE(message);
}

TEST_F(AttachTest, TheHomeFolderHasAShortName) {
  auto attached = attach("~/state");
  greet(attached);
  EXPECT_TRUE(std::filesystem::exists(state_ / "socket"));
}

TEST_F(AttachTest, ErrorsAreOnStderrAlone) {
  auto attached = attach("/proc/nowhere");
  EXPECT_FALSE(attached.receive());
  EXPECT_EQ(attached.exit_code(), 1);
  EXPECT_THAT(content_of(errors_), HasSubstr("cannot create /proc/nowhere"));
}

}  // namespace
}  // namespace lathe::agent
