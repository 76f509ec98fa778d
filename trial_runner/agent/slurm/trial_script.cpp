#include "slurm/trial_script.hpp"

#include <string_view>

#include <fmt/format.h>

#include "program_run.hpp"
#include "script_words.hpp"

namespace lathe::agent {
namespace {

/// The signals that a user can have Slurm send before a time limit (--signal=B:USR1@120) go to this shell alone, so it
/// hands them on. SIGTERM is sent to all processes of the job by whoever sends it: the shell has only to outlive it.
constexpr std::string_view claim_and_traps =
    R"sh(
claim="$folder/.slurm/${1:?the token of the submission}"
# Whoever makes this folder first decides: this job, that it runs; the agent, that it has given the job up.
if ! mkdir -- "$claim"; then
  echo "This job was given up or runs already." >&2
  exit 75
fi
status=
finish() {
  code=$?
  trap '' TERM INT HUP USR1 USR2
  printf '%s\n' "${status:-$code}" >"$claim/exit.new" && mv -- "$claim/exit.new" "$claim/exit"
}
trap finish EXIT
terminated=
forward() {
  if [ -e "$claim/pid" ]; then kill -s "$1" -- "$(cat -- "$claim/pid")" 2>/dev/null; fi
}
trap 'terminated=yes' TERM
for name in INT HUP USR1 USR2; do trap "forward $name" "$name"; done
printf '%s %s\n' "$SLURM_JOB_ID" "$(hostname)" >"$claim/job"

# Trials of one node keep out of each other's way by files in here.
LATHE_HOST_DIRECTORY=/tmp/lathe-host-$(id -u)
if mkdir -p -m 700 -- "$LATHE_HOST_DIRECTORY" && [ -O "$LATHE_HOST_DIRECTORY" ]; then
  export LATHE_HOST_DIRECTORY
else
  unset LATHE_HOST_DIRECTORY
fi
)sh";

/// A wait that a signal interrupts at the wrong moment loses the status of what it waits for (bash 5.2), so a shell in
/// between, whose foreground command is waited for through all signals, writes it down.
constexpr std::string_view run_and_wait = R"sh(
[ -z "$terminated" ] || exit 143
(
  trap : TERM INT HUP USR1 USR2
  "${trial[@]}"
  echo $? >"$claim/status"
) &
keeper=$!
while kill -0 "$keeper" 2>/dev/null; do wait "$keeper"; done
status=$(cat -- "$claim/status")
exit "${status:=137}"
)sh";

}  // namespace

std::string render(const TrialScript& script) {
  const ScriptVariables variables = script_variables(script.environment);
  return fmt::format("#!/bin/bash\n# Trial {}: what Slurm runs. Written anew for each attempt.\nfolder={}\n",
                     comment_text(script.trial_id), shell_quoted(script.folder.string())) +
         std::string(claim_and_traps) + "\n" + variables.exports +
         fmt::format("cd -- {} || exit\n\n", shell_quoted(script.working_directory.string())) + script.prologue +
         fmt::format("\n\ntrial=(bash -c 'echo $$ >\"$0/pid\"; exec \"$@\"' \"$claim\"{} bash -c {})",
                     variables.command, shell_quoted(script.command)) +
         std::string(run_and_wait);
}

std::string render_array(const std::vector<std::filesystem::path>& scripts, const std::string& token) {
  std::string text = "#!/bin/bash\n# Several trials that were started together.\ncase $SLURM_ARRAY_TASK_ID in\n";
  for (std::size_t task = 0; task < scripts.size(); ++task) {
    text += fmt::format("{}) exec /bin/bash {} {} ;;\n", task, shell_quoted(scripts[task].string()), token);
  }
  return text + "esac\necho \"There is no task $SLURM_ARRAY_TASK_ID.\" >&2\nexit 1\n";
}

}  // namespace lathe::agent
