#include "commands/commands.hpp"

#include <array>

namespace lathe::cli {
namespace {

constexpr std::array groups{
    CommandGroup{"experiment", "List, show, delete and export experiments"},
    CommandGroup{"trial", "List, show, cancel and add trials, download their files"},
    CommandGroup{"log", "Read the logs of trials and of the daemon"},
    CommandGroup{"host", "List, show, drain and test the machines that trials run on"},
    CommandGroup{"daemon", "Show lathed itself, keep it from starting anything new"},
    CommandGroup{"update", "Change the limits or the search space of an experiment while it lives"},
};

constexpr std::array table{
    Command{"create", "Start an experiment",
            "  lathectl create --config experiment.yml\n"
            "  lathectl create --config experiment.yml --wait\n",
            declare_create},
    Command{"wait", "Wait until an experiment has ended, then show its best trials",
            "  lathectl wait\n"
            "  lathectl wait ab12cd34 && echo succeeded\n"
            "Ends with 0 when it is DONE with at least one succeeded trial, with 4 otherwise.\n"
            "A daemon that is restarted meanwhile is waited for, up to a minute.\n",
            declare_wait},
    Command{"stop", "End the trials of an experiment; it can be resumed",
            "  lathectl stop ab12\n"
            "  lathectl stop --all\n",
            declare_stop},
    Command{"resume", "Let a stopped, failed or finished experiment go on", "  lathectl resume ab12\n", declare_resume},
    Command{"top", "Watch an experiment live",
            "  lathectl top\n"
            "  lathectl top ab12 --time 1\n"
            "q or Ctrl-C leaves; the experiment goes on.\n",
            declare_top},

    Command{"inspect", "Show the layers of a model, what they cost and what can be pruned; needs no daemon",
            "  lathectl inspect model.pt\n"
            "  lathectl inspect model.pt --input-shape 1,3,224,224\n"
            "  lathectl inspect model.pt --input batch.pt -o json | jq .groups\n",
            declare_inspect},
    Command{
        "compress", "Compress one model in one way; needs no daemon",
        "  lathectl compress --config l1.yml --output smaller\n"
        "  lathectl compress model.pt -c experiment.yml -d smaller --parameters '{\"algorithm\": {\"_name\": \"l1\", "
        "\"sparsity\": 0.5}}'\n"
        "Progress goes to stderr, the table (or with -o json the report) to stdout.\n",
        declare_compress},

    Command{"experiment list", "List the experiments that are not finished, or all",
            "  lathectl experiment list\n"
            "  lathectl experiment list --all -o json\n",
            declare_experiment_list},
    Command{"experiment show", "Everything about one experiment, with its best trials",
            "  lathectl experiment show ab12\n"
            "  lathectl experiment show -o json | jq .config\n",
            declare_experiment_show},
    Command{"experiment status", "One line about an experiment", "  lathectl experiment status ab12\n",
            declare_experiment_status},
    Command{"experiment delete", "Remove an experiment with all its records and files",
            "  lathectl experiment delete ab12\n"
            "  lathectl experiment delete ab12 -y\n",
            declare_experiment_delete},
    Command{"experiment export", "All trials with parameters and results, as JSON or CSV",
            "  lathectl experiment export ab12 --type csv --filename trials.csv\n"
            "  lathectl experiment export --type json | jq length\n",
            declare_experiment_export},

    Command{"trial ls", "List trials",
            "  lathectl trial ls --status RUNNING,WAITING\n"
            "  lathectl trial ls ab12 --sort -metric --limit 5\n"
            "  lathectl trial ls ab12 --tail 20\n",
            declare_trial_ls},
    Command{"trial show", "Everything about one trial",
            "  lathectl trial show ab12 Xy3\n"
            "  lathectl trial show 17\n"
            "A trial is named by its ID, the start of it, or its number.\n",
            declare_trial_show},
    Command{"trial kill", "Cancel a waiting or running trial",
            "  lathectl trial kill ab12 Xy3\n"
            "  lathectl trial kill -T 17\n",
            declare_trial_kill},
    Command{"trial download", "Fetch a file of a trial: its model, its report",
            "  lathectl trial download ab12 Txyz\n"
            "  lathectl trial download ab12 Txyz --file int8.pt --filename small.pt\n",
            declare_trial_download},
    Command{"trial add", "Queue a trial with parameters given by hand",
            "  lathectl trial add ab12 --parameters '{\"lr\": 0.01}'\n", declare_trial_add},

    Command{"log trial", "What a trial has written to stdout, stderr or its trial.log",
            "  lathectl log trial ab12 Xy3 --tail 50\n"
            "  lathectl log trial 17 --stderr --follow\n"
            "Text shown on a terminal has its control characters escaped; a pipe or file gets every byte as it is.\n",
            declare_log_trial},
    Command{"log stderr", "What a trial has written to stderr", "  lathectl log stderr ab12 Xy3\n", declare_log_stderr},
    Command{"log daemon", "The log of lathed itself", "  lathectl log daemon --tail 100 --follow\n",
            declare_log_daemon},

    Command{"host ls", "This machine and the hosts of the experiments that go on",
            "  lathectl host ls\n"
            "  lathectl host ls -o json | jq '.items[] | select(.connected | not)'\n",
            declare_host_ls},
    Command{"host show", "Everything about one host", "  lathectl host show ana@gpu1.lan:22\n", declare_host_show},
    Command{"host drain", "Start nothing new on a host; what runs there goes on",
            "  lathectl host drain ana@gpu1.lan\n"
            "It stays so across restarts, until `lathectl host resume`.\n",
            declare_host_drain},
    Command{"host resume", "End draining a host: start trials there again", "  lathectl host resume ana@gpu1.lan\n",
            declare_host_resume},
    Command{"host test", "Say step by step what is wrong with a host",
            "  lathectl host test ana@gpu1.lan\n"
            "Also for a machine that no experiment uses yet. Ends with 1 when something is wrong.\n",
            declare_host_test},

    Command{"daemon show", "Version of lathed, whether it is being drained, and how many trials run",
            "  lathectl daemon show\n", declare_daemon_show},
    Command{"daemon drain", "Start nothing new; what runs goes on",
            "  lathectl daemon drain\n"
            "It stays so across restarts, until `lathectl daemon resume`.\n",
            declare_daemon_drain},
    Command{"daemon resume", "End draining: start trials again", "  lathectl daemon resume\n", declare_daemon_resume},

    Command{"update concurrency", "How many trials run at once", "  lathectl update concurrency ab12 --value 4\n",
            declare_update_concurrency},
    Command{"update duration", "How long the experiment may run",
            "  lathectl update duration ab12 --value 2h\n"
            "  lathectl update duration --value none\n",
            declare_update_duration},
    Command{"update trialnum", "How many trials the experiment may make",
            "  lathectl update trialnum ab12 --value 200\n"
            "  lathectl update trialnum --value none\n",
            declare_update_trialnum},
    Command{"update searchspace", "Replace the search space for the trials to come",
            "  lathectl update searchspace ab12 --filename search_space.json\n", declare_update_searchspace},
};

}  // namespace

std::span<const CommandGroup> command_groups() {
  return groups;
}
std::span<const Command> commands() {
  return table;
}

}  // namespace lathe::cli
