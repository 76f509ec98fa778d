// The whole API on a live server, over a fake service with one experiment and a folder of its own.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/thread_pool.hpp>
#include <nlohmann/json.hpp>

#include "../http/live_server.hpp"
#include "api/admission.hpp"
#include "api/routes.hpp"
#include "api/trial_tables.hpp"
#include "fake_service.hpp"

namespace lathe::manager::testing {

class LiveApi : public ::testing::Test {
 protected:
  LiveApi() {
    std::string name = (std::filesystem::temp_directory_path() / "lathe-api-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    service_.experiments["abcd1234"].id = "abcd1234";
    context_ = std::make_unique<ApiContext>(
        ApiContext{service_, pool_.get_executor(), {folder_}, folder_, folder_ / "lathed.log", {}, {}, "1.2.3"});
    server_ =
        std::make_unique<LiveServer>([this](HttpRequest& request) { return answer(request, *context_); }, HttpLimits{},
                                     [this](const HttpRequest& request) { return admit(request, *context_); });
    tables_ = std::make_unique<TrialTables>(server_->loop().get_executor(), pool_.get_executor(), service_);
    context_->tables = tables_.get();
  }
  ~LiveApi() override {
    end_server();
    std::filesystem::remove_all(folder_);
  }

  /// Answers nothing any more. What the pool works on still knows the loop, so that the pool ends first.
  void end_server() {
    if (!server_) return;
    server_->stop();
    server_->on_loop([this] { tables_.reset(); });
    pool_.join();
    server_.reset();
  }

  /// Adds a trial with a folder of its own; call before requests, or on the loop.
  TrialRecord& add_trial(const std::string& id, proto::TrialStatus status = proto::TrialStatus::Succeeded) {
    TrialRecord trial;
    trial.experiment_id = "abcd1234";
    trial.id = id;
    trial.sequence = static_cast<std::int64_t>(service_.trials.size());
    trial.status = status;
    trial.directory = (folder_ / id).string();
    std::filesystem::create_directories(trial.directory);
    service_.trials.push_back(trial);
    return service_.trials.back();
  }

  void write(const std::string& name, const std::string& text, std::ios::openmode mode = std::ios::app) {
    std::ofstream(folder_ / name, mode) << text << std::flush;
  }

  Client client() { return Client(server_->port()); }
  ClientResponse ask(std::string_view method, std::string_view target, std::string_view headers = "",
                     std::string_view body = "") {
    return client().ask(method, target, headers, body);
  }
  ClientResponse get(std::string_view target) { return ask("GET", target); }
  nlohmann::json get_json(std::string_view target) { return nlohmann::json::parse(get(target).body); }

  std::filesystem::path folder_;
  FakeService service_;
  boost::asio::thread_pool pool_{2};
  std::unique_ptr<ApiContext> context_;
  std::unique_ptr<LiveServer> server_;
  std::unique_ptr<TrialTables> tables_;
};

}  // namespace lathe::manager::testing
