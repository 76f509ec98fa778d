#include "hosts/ssh/ssh_command.hpp"

#include <array>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

/// What is ours to say beside the user's own ssh_config, which still decides on host keys, jump hosts and agents.
std::vector<std::string> common_options(const proto::SshAddress& address, const SshSettings& settings) {
  // Banners and notices are no complaints.
  std::vector<std::string> words{"ssh", "-T", "-S", settings.control_socket.string(), "-o", "LogLevel=ERROR"};
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
  SshStage stage;
  std::string_view advice;  ///< {name} as in configs, {login} the command by hand, {known} as in known_hosts
};

/// In the order in which they are looked for: what comes first is the cause of what comes later.
constexpr std::array complaints{
    Complaint{"REMOTE HOST IDENTIFICATION HAS CHANGED", SshStage::HostKey,
              "the host key of {name} has changed, which may be an attack; if the machine was set up anew, forget the "
              "old key: ssh-keygen -R '{known}'"},
    Complaint{"Host key verification failed", SshStage::HostKey,
              "the host key of {name} is not known: connect once by hand ({login}) and compare the fingerprint"},
    Complaint{"host key is known", SshStage::HostKey,
              "the host key of {name} is not known: connect once by hand ({login}) and compare the fingerprint"},
    Complaint{"UNPROTECTED PRIVATE KEY FILE", SshStage::Login,
              "the key file for {name} can be read by others: chmod 600"},
    Complaint{"Bad owner or permissions", SshStage::Connection,
              "a file of ssh on this machine has the wrong owner or mode: {line}"},
    Complaint{"incorrect passphrase", SshStage::Login, "the passphrase of the key for {name} is wrong"},
    Complaint{"Too many authentication failures", SshStage::Login,
              "{name} was offered too many keys: name the right one with sshKeyFile"},
    Complaint{"Permission denied", SshStage::Login,
              "{name} refused the login: check user, password or key (by hand: {login})"},
    Complaint{"Could not resolve hostname", SshStage::Connection, "there is no machine with the name {name}"},
    Complaint{"Connection refused", SshStage::Connection, "nothing listens at {name}: is sshd running there?"},
    Complaint{"No route to host", SshStage::Connection, "there is no way to {name}"},
    Complaint{"Network is unreachable", SshStage::Connection, "there is no way to {name}"},
    Complaint{"not responding", SshStage::Session, "{name} has stopped answering"},
    Complaint{"timed out", SshStage::Connection, "{name} does not answer"},
    Complaint{"closed by", SshStage::Connection, "{name} closed the connection"},
    Complaint{"Connection reset", SshStage::Connection, "{name} reset the connection"},
    Complaint{"No space left on device", SshStage::Session, "the disk of {name} is full"},
};

std::string last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \r\n");
  if (end == std::string_view::npos) return {};
  const std::size_t begin = text.rfind('\n', end);
  return std::string(text.substr(begin == std::string_view::npos ? 0 : begin + 1,
                                 end - (begin == std::string_view::npos ? 0 : begin + 1) + 1));
}

/// What a person types to get there.
std::string login_by_hand(const proto::SshAddress& address) {
  std::string command = "ssh ";
  if (address.port) command += fmt::format("-p {} ", *address.port);
  if (!address.user.empty()) command += address.user + "@";
  return command + address.host;
}

std::string name_in_known_hosts(const proto::SshAddress& address) {
  return address.port && *address.port != 22 ? fmt::format("[{}]:{}", address.host, *address.port) : address.host;
}

/// The agent's bytes from stdin into "$a", whole or not at all.
std::string install_script(const AgentImage& agent) {
  return fmt::format(R"sh(mkdir -p "$d/bin" && chmod 700 "$d" && echo {} && head -c {} > "$a.$$" && )sh"
                     R"sh([ "$(wc -c < "$a.$$")" -eq {} ] && )sh"
                     R"sh(if command -v sha256sum > /dev/null 2>&1; then )sh"
                     R"sh([ "$(sha256sum < "$a.$$" | cut -c 1-64)" = {} ]; fi && )sh"
                     R"sh(chmod 700 "$a.$$" && mv "$a.$$" "$a")sh",
                     bootstrap_needs, agent.size, agent.size, agent.hash);
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
  return for_any_shell(
      places(agent, daemon) +
      fmt::format(R"([ -x "$a" ] || {{ {}; }} || {{ rm -f "$a.$$"; echo "{} the agent cannot be put into $d/bin"; )"
                  R"(exit 1; }}; echo {}; exec "$a" --state-dir "$s" --attach)",
                  install_script(agent), bootstrap_failed, bootstrap_ready));
}

std::string files_command(const AgentImage& agent, const std::string& daemon) {
  return for_any_shell(places(agent, daemon) + R"(exec "$a" --state-dir "$s" --files)");
}

std::vector<std::string> ssh_alone(const proto::SshAddress& address, const SshSettings& settings,
                                   const std::string& command) {
  SshSettings alone = settings;
  alone.control_socket = "none";
  std::vector<std::string> words = common_options(address, alone);
  for (const char* option : {"ControlMaster=no", "ConnectTimeout=10", "NumberOfPasswordPrompts=1"}) {
    words.insert(words.end(), {"-o", option});
  }
  words.insert(words.end(),
               {"-o", settings.has_secret ? "BatchMode=no" : "BatchMode=yes", "--", address.host, command});
  return words;
}

std::string probe_command(const AgentImage& agent, const std::string& daemon) {
  return for_any_shell(
      places(agent, daemon) +
      R"sh(echo "LATHE:system $(uname -sm)"; echo "LATHE:user $(id -un)"; )sh"
      R"sh(if mkdir -p "$d" && [ -w "$d" ]; then echo "LATHE:folder $d"; else echo "LATHE:nofolder $d"; fi; )sh"
      R"sh(df -Pk "$d" 2> /dev/null | tail -n 1 | while read -r f b u v r; do echo "LATHE:disk $v"; done; )sh"
      R"sh(if [ -x "$a" ]; then echo "LATHE:agent $("$a" --version 2>&1 | head -n 1)"; fi; )sh"
      R"sh(if command -v nvidia-smi > /dev/null 2>&1; then nvidia-smi --query-gpu=name --format=csv,noheader 2>&1 | )sh"
      R"sh(while read -r g; do echo "LATHE:gpu $g"; done; fi; )sh"
      R"sh(t=$(command -v lathe-trial) && echo "LATHE:trial $t $("$t" --version 2>&1 | head -n 1)"; )sh"
      R"sh(echo LATHE:end)sh");
}

SshTrouble diagnose_ssh(std::string_view complaint, const proto::SshAddress& address) {
  const std::string line = last_line(complaint);
  for (const Complaint& known : complaints) {
    if (complaint.find(known.sign) == std::string_view::npos) continue;
    return {known.stage, fmt::format(fmt::runtime(known.advice), fmt::arg("name", address.name()),
                                     fmt::arg("login", login_by_hand(address)),
                                     fmt::arg("known", name_in_known_hosts(address)), fmt::arg("line", line))};
  }
  return {SshStage::Session, line.empty() ? fmt::format("the connection to {} ended", address.name()) : line};
}

std::string explain_ssh(std::string_view complaint, const proto::SshAddress& address) {
  return diagnose_ssh(complaint, address).advice;
}

}  // namespace lathe::manager
