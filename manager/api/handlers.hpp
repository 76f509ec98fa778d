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

// trials.cpp
HandlerResult list_trials(const HttpRequest& request, const ApiContext& context);
HandlerResult add_trial(const HttpRequest& request, const ApiContext& context);
HandlerResult show_trial(const HttpRequest& request, const ApiContext& context);
HandlerResult cancel_trial(const HttpRequest& request, const ApiContext& context);
HandlerResult list_metrics(const HttpRequest& request, const ApiContext& context);

// trial_files.cpp
HandlerResult show_trial_log(const HttpRequest& request, const ApiContext& context);
HandlerResult download_trial_file(const HttpRequest& request, const ApiContext& context);

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
