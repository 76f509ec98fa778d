// The handlers of the routing table. Each reads: parse, validate, act, translate errors, answer.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

using HandlerResult = boost::asio::awaitable<HttpResponse>;

// experiments.cpp
HandlerResult list_experiments(const HttpRequest& request, const ApiContext& context);
HandlerResult create_experiment(const HttpRequest& request, const ApiContext& context);
HandlerResult show_experiment(const HttpRequest& request, const ApiContext& context);
HandlerResult change_experiment(const HttpRequest& request, const ApiContext& context);
HandlerResult delete_experiment(const HttpRequest& request, const ApiContext& context);
HandlerResult stop_experiment(const HttpRequest& request, const ApiContext& context);
HandlerResult resume_experiment(const HttpRequest& request, const ApiContext& context);

// trial_list.cpp
HandlerResult list_trials(const HttpRequest& request, const ApiContext& context);

// charts/columns.cpp
HandlerResult list_columns(const HttpRequest& request, const ApiContext& context);
HandlerResult show_table(const HttpRequest& request, const ApiContext& context);

// charts/optimization.cpp
HandlerResult show_history(const HttpRequest& request, const ApiContext& context);
HandlerResult show_front(const HttpRequest& request, const ApiContext& context);
HandlerResult show_importance(const HttpRequest& request, const ApiContext& context);

// charts/timeline.cpp, charts/layers.cpp, charts/intermediates.cpp
HandlerResult show_timeline(const HttpRequest& request, const ApiContext& context);
HandlerResult list_layers(const HttpRequest& request, const ApiContext& context);
HandlerResult list_intermediates(const HttpRequest& request, const ApiContext& context);

// config_check.cpp
HandlerResult check_experiment(const HttpRequest& request, const ApiContext& context);
HandlerResult show_experiment_schema(const HttpRequest& request, const ApiContext& context);
HandlerResult show_search_space_schema(const HttpRequest& request, const ApiContext& context);

// trials.cpp
HandlerResult add_trial(const HttpRequest& request, const ApiContext& context);
HandlerResult show_trial(const HttpRequest& request, const ApiContext& context);
HandlerResult cancel_trial(const HttpRequest& request, const ApiContext& context);
HandlerResult list_metrics(const HttpRequest& request, const ApiContext& context);

// trial_files.cpp
HandlerResult show_trial_log(const HttpRequest& request, const ApiContext& context);
HandlerResult download_trial_file(const HttpRequest& request, const ApiContext& context);
HandlerResult show_baseline(const HttpRequest& request, const ApiContext& context);

// export.cpp
HandlerResult export_experiment(const HttpRequest& request, const ApiContext& context);

// hosts.cpp
HandlerResult list_hosts(const HttpRequest& request, const ApiContext& context);
HandlerResult show_host(const HttpRequest& request, const ApiContext& context);
HandlerResult drain_host(const HttpRequest& request, const ApiContext& context);
HandlerResult resume_host(const HttpRequest& request, const ApiContext& context);
HandlerResult test_host(const HttpRequest& request, const ApiContext& context);

// daemon.cpp
HandlerResult follow_events(const HttpRequest& request, const ApiContext& context);
HandlerResult show_daemon_log(const HttpRequest& request, const ApiContext& context);
HandlerResult show_daemon(const HttpRequest& request, const ApiContext& context);
HandlerResult drain_daemon(const HttpRequest& request, const ApiContext& context);
HandlerResult resume_daemon(const HttpRequest& request, const ApiContext& context);
HandlerResult show_health(const HttpRequest& request, const ApiContext& context);
HandlerResult show_version(const HttpRequest& request, const ApiContext& context);
HandlerResult show_description(const HttpRequest& request, const ApiContext& context);

}  // namespace lathe::manager
