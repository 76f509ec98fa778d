#include "hosts/ssh/ssh_command.hpp"

#include <array>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

/// What is ours to say beside the user's own ssh_config, which still decides on host keys, jump hosts and agents.
std::vector<std::string> common_options(const proto::SshAddress& address, const SshSettings& settings) {
  std::vector<std::string> words{"ssh", "-T", "-S", settings.control_socket.string()};
  const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (!settings.config_file.empty()) add({"-F", settings.config_file.string()});
  if (address.port) add({"-p", std::to_string(*address.port)});
  if (!address.user.empty()) add({"-l", address.user});
  if (!address.key_file.empty()) add({"-i", address.key_file.string(), "-o", "IdentitiesOnly=yes"});
  return words;
}

/// Where the agent lies, and where its state: variables of the script.
std::string places(const AgentImage& agent, const std::string& daemon) {
  return fmt::format(R"(d="${{LATHE_HOME:-$HOME/.lathe}}"; a="$d/bin/lathe-agent-{}"; s="$d/{}"; )",
                     agent.hash.substr(0, 16), daemon);
}

/// No quote, exclamation mark or line break may be inside: whatever shell the account has, it only has to understand
/// one quoted word.
std::string for_any_shell(const std::string& script) {
  return "exec sh -c '" + script + "'";
}

struct Complaint {
  std::string_view sign;
  std::string_view advice;
};

/// In the order in which they are looked for: what comes first is the cause of what comes later.
constexpr std::array complaints{
    Complaint{"REMOTE HOST IDENTIFICATION HAS CHANGED",
              "its host key has changed, which may be an attack; if the machine was set up anew, forget the old key: "
              "ssh-keygen -R {}"},
    Complaint{"Host key verification failed",
              "its host key is not known: connect once by hand (ssh {}) and compare the fingerprint"},
    Complaint{"host key is known", "its host key is not known: connect once by hand (ssh {}) and compare it"},
    Complaint{"Permission denied", "the login was refused: check user, password or key of {}"},
    Complaint{"Too many authentication failures",
              "too many keys were tried: name the right one with sshKeyFile for {}"},
    Complaint{"incorrect passphrase", "the passphrase of the key for {} is wrong"},
    Complaint{"Could not resolve hostname", "there is no machine with the name {}"},
    Complaint{"Connection refused", "nothing listens there: is sshd running on {}?"},
    Complaint{"No route to host", "there is no way to {}"},
    Complaint{"Network is unreachable", "there is no way to {}"},
    Complaint{"timed out", "{} does not answer"},
    Complaint{"Connection closed by", "{} closed the connection"},
    Complaint{"Connection reset", "{} reset the connection"},
    Complaint{"not responding", "{} has stopped answering"},
    Complaint{"No space left on device", "the disk of {} is full"},
    Complaint{"Bad owner or permissions", "a file of ssh has the wrong owner or mode on this machine, for {}"},
    Complaint{"UNPROTECTED PRIVATE KEY FILE", "the key file for {} can be read by others: chmod 600"},
};

std::string last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \r\n");
  if (end == std::string_view::npos) return {};
  const std::size_t begin = text.rfind('\n', end);
  return std::string(text.substr(begin == std::string_view::npos ? 0 : begin + 1,
                                 end - (begin == std::string_view::npos ? 0 : begin + 1) + 1));
}

}  // namespace

std::vector<std::string> ssh_master(const proto::SshAddress& address, const SshSettings& settings,
                                    const std::string& command) {
  std::vector<std::string> words = common_options(address, settings);
  for (const char* option : {"ControlMaster=yes", "ControlPersist=no", "ConnectTimeout=15", "ServerAliveInterval=5",
                             "ServerAliveCountMax=3", "TCPKeepAlive=yes", "NumberOfPasswordPrompts=1",
                             "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes"}) {
    words.insert(words.end(), {"-o", option});
  }
  // Without a secret to give there is nobody to answer a question.
  words.insert(words.end(),
               {"-o", settings.has_secret ? "BatchMode=no" : "BatchMode=yes", "--", address.host, command});
  return words;
}

std::vector<std::string> ssh_beside(const proto::SshAddress& address, const SshSettings& settings,
                                    const std::string& command) {
  std::vector<std::string> words = common_options(address, settings);
  // A proxy that fails: should the first connection be gone, no other one is made behind its back.
  words.insert(words.end(), {"-o", "ControlMaster=no", "-o", "BatchMode=yes", "-o", "ProxyCommand=false", "--",
                             address.host, command});
  return words;
}

std::string attach_command(const AgentImage& agent, const std::string& daemon) {
  const std::string fetch = fmt::format(
      R"(if [ -x "$a" ]; then :; else mkdir -p "$d/bin" && chmod 700 "$d" && echo {0} && head -c {2} > "$a.$$" && )"
      R"({{ if command -v sha256sum > /dev/null 2>&1; then [ "$(sha256sum < "$a.$$" | cut -c 1-64)" = {3} ]; fi;
}
} && )"
      R"(chmod 700 "$a.$$" && mv "$a.$$" "$a" || {{ rm -f "$a.$$"; echo "{1} the agent could not be put into $d/bin"; )"
      R"(exit 1; }}; fi; )",
      bootstrap_needs, bootstrap_failed, agent.size, agent.hash);
return for_any_shell(places(agent, daemon) + fetch +
                     fmt::format(R"(echo {}; exec "$a" --state-dir "$s" --attach)", bootstrap_ready));
}

std::string files_command(const AgentImage& agent, const std::string& daemon) {
  return for_any_shell(places(agent, daemon) + R"(exec "$a" --state-dir "$s" --files)");
}

std::string explain_ssh(std::string_view complaint, const proto::SshAddress& address) {
  for (const Complaint& known : complaints) {
    if (complaint.find(known.sign) == std::string_view::npos) continue;
    return fmt::format(fmt::runtime(known.advice), address.name());
  }
  const std::string line = last_line(complaint);
  return line.empty() ? fmt::format("the connection to {} ended", address.name()) : line;
}

}  // namespace lathe::manager
