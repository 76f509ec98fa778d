// Every command of lathectl.
#pragma once

#include <span>
#include <string_view>

#include "commands/command.hpp"

namespace lathe::cli {

/// A word that holds commands: `trial` of `trial ls`.
struct CommandGroup {
  std::string_view name;
  std::string_view summary;
};

[[nodiscard]] std::span<const CommandGroup> command_groups();
[[nodiscard]] std::span<const Command> commands();

Action declare_create(CLI::App& app);
Action declare_wait(CLI::App& app);

Action declare_inspect(CLI::App& app);
Action declare_compress(CLI::App& app);

Action declare_experiment_list(CLI::App& app);
Action declare_experiment_show(CLI::App& app);
Action declare_experiment_status(CLI::App& app);
Action declare_experiment_delete(CLI::App& app);
Action declare_experiment_export(CLI::App& app);

Action declare_stop(CLI::App& app);
Action declare_resume(CLI::App& app);

Action declare_trial_ls(CLI::App& app);
Action declare_trial_show(CLI::App& app);
Action declare_trial_kill(CLI::App& app);
Action declare_trial_add(CLI::App& app);
Action declare_trial_download(CLI::App& app);

Action declare_log_trial(CLI::App& app);
Action declare_log_stderr(CLI::App& app);
Action declare_log_daemon(CLI::App& app);

Action declare_update_concurrency(CLI::App& app);
Action declare_update_duration(CLI::App& app);
Action declare_update_trialnum(CLI::App& app);
Action declare_update_searchspace(CLI::App& app);

Action declare_daemon_show(CLI::App& app);
Action declare_daemon_drain(CLI::App& app);
Action declare_daemon_resume(CLI::App& app);

Action declare_host_ls(CLI::App& app);
Action declare_host_show(CLI::App& app);
Action declare_host_drain(CLI::App& app);
Action declare_host_resume(CLI::App& app);
Action declare_host_test(CLI::App& app);

Action declare_top(CLI::App& app);

}  // namespace lathe::cli
