#include "pai/pai_script.hpp"

#include <string_view>

#include <fmt/format.h>

#include "pai/pai_claim.hpp"
#include "program_run.hpp"
#include "script_words.hpp"

namespace lathe::agent {
namespace {

constexpr std::string_view claim_lines =
    R"sh(
claim="$folder/.pai/${1:?the name of the job}"
# Whoever makes this folder first decides: this job, that it runs; the agent, that it has given the job up.
if ! mkdir -- "$claim/run"; then
  if [ -e "$claim/run" ]; then
    echo "This job was given up, or has run before." >&2
    : >"$claim/again"
    exit REFUSED
  fi
  echo "The container cannot write in $claim." >&2
  exit READONLY
fi
status=
finish() {
  code=$?
  trap '' TERM INT HUP
  printf '%s\n' "${status:-$code}" >"$claim/exit.new" && mv -- "$claim/exit.new" "$claim/exit"
}
trap finish EXIT
exec >>"$folder/stdout" 2>>"$folder/stderr" || exit READONLY
printf '%s\n' "$(hostname)" >"$claim/host"

# Settings and programs that name the storage by its path on the agent's machine find it there too.
if ! [ -e "$here" ]; then
  { mkdir -p -- "$(dirname -- "$here")" && ln -s -- "$there" "$here"; } 2>/dev/null
fi

# Trials of one container keep out of each other's way by files in here.
LATHE_HOST_DIRECTORY=/tmp/lathe-host
if mkdir -p -m 700 -- "$LATHE_HOST_DIRECTORY"; then export LATHE_HOST_DIRECTORY; else unset LATHE_HOST_DIRECTORY; fi
)sh";

/// The command has a process group of its own (set -m), with a shell at its head that outlives the signals to it and
/// writes down how the command ended: a wait that a signal interrupts at the wrong moment loses that. The agent's wish
/// is looked for by listing the folder, which makes NFS ask the server; SIGTERM waits until that shell is ready for it.
constexpr std::string_view run_and_wait = R"sh(
set -m
(
  trap : TERM INT HUP USR1 USR2
  "${trial[@]}"
  echo $? >"$claim/status"
) </dev/null &
group=$!
set +m
trap 'kill -TERM -- "-$group" 2>/dev/null' TERM INT HUP
is_told=
shopt -s nullglob
while kill -0 "$group" 2>/dev/null; do
  for wish in "$claim"/terminat[e] "$claim"/kil[l]; do
    case ${wish##*/}$is_told in
      terminate) if [ -e "$claim/pid" ]; then kill -TERM -- "-$group" 2>/dev/null; is_told=yes; fi ;;
      kill*) kill -KILL -- "-$group" 2>/dev/null ;;
    esac
  done
  sleep 1 &
  wait -n "$group" $! 2>/dev/null
done
kill -KILL -- "-$group" 2>/dev/null
status=$(cat -- "$claim/status")
exit "${status:=137}"
)sh";

std::string replaced(std::string text, std::string_view word, const std::string& by) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) text.replace(at, word.size(), by);
  return text;
}

}  // namespace

std::string render(const PaiScript& script) {
  const ScriptVariables variables = script_variables(script.environment);
  std::string claim = replaced(std::string(claim_lines), "REFUSED", std::to_string(pai_refused_status));
  claim = replaced(std::move(claim), "READONLY", std::to_string(pai_readonly_status));
  return fmt::format(
             "#!/bin/bash\n# Trial {}: what its container runs. Written anew for each attempt.\n"
             "folder={}\nhere={}\nthere={}\n",
             comment_text(script.trial_id), shell_quoted(script.folder), shell_quoted(script.mount.local.string()),
             shell_quoted(script.mount.container)) +
         claim + "\n" + variables.exports +
         fmt::format("cd -- {} || exit\n\n", shell_quoted(script.working_directory)) +
         fmt::format("trial=(bash -c 'echo $$ >\"$0/pid\"; exec \"$@\"' \"$claim\"{} bash -c {})", variables.command,
                     shell_quoted(script.command)) +
         std::string(run_and_wait);
}

}  // namespace lathe::agent
