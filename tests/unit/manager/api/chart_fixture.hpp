// The API over an experiment whose trials have parameters and metrics.
#pragma once

#include <string>

#include "live_api.hpp"

namespace lathe::manager::testing {

class Charts : public LiveApi {
 protected:
  Charts() {
    service_.experiments["abcd1234"].config = nlohmann::ordered_json::parse(R"({
      "searchSpace": {"lr": {"_type": "loguniform", "_value": [0.001, 1]},
                      "algorithm": {"_type": "choice", "_value": [{"_name": "l1"}, {"_name": "fpgm"}]}},
      "tuner": {"name": "TPE", "classArgs": {"optimize_mode": "maximize"}},
      "trainingService": {"platform": "local"}, "compression": {"objective": {"metric": "accuracy"}}})");
    service_.experiments["abcd1234"].baseline = {{"default", 0.98}, {"accuracy", 0.98}, {"size_bytes", 1000}};
  }

  /// Trials of growing accuracy and size; the last one failed without a metric.
  void add_trials(int count) {
    for (int i = 0; i < count; ++i) {
      TrialRecord& trial = add_trial("T" + std::to_string(1000 + i));
      trial.parameters = {{"lr", 0.001 * (i + 1)}, {"algorithm", {{"_name", i % 2 == 0 ? "l1" : "fpgm"}}}};
      trial.host = i % 2 == 0 ? "local" : "ana@a.lan";
      trial.submit_ms = 1000 * i;
      trial.start_ms = 1000 * i;
      trial.end_ms = 1000 * i + 1500;
      if (i + 1 == count) {
        trial.status = proto::TrialStatus::Failed;
        continue;
      }
      trial.metric = 0.5 + 0.001 * i;
      trial.final_metric = {{"default", *trial.metric}, {"accuracy", *trial.metric}, {"size_bytes", 100 * (i + 1)}};
    }
    auto& counts = service_.experiments["abcd1234"].counts;
    counts[static_cast<std::size_t>(proto::TrialStatus::Succeeded)] = count - 1;
    counts[static_cast<std::size_t>(proto::TrialStatus::Failed)] = 1;
  }

  nlohmann::json chart(const std::string& path) {
    const ClientResponse response = get("/api/v1/experiments/abcd1234/" + path);
    EXPECT_EQ(response.status, 200u) << path << ": " << response.body;
    return nlohmann::json::parse(response.body);
  }
  /// The detail of a 400.
  std::string refusal(const std::string& path) {
    const ClientResponse response = get("/api/v1/experiments/abcd1234/" + path);
    EXPECT_EQ(response.status, 400u) << path << ": " << response.body;
    return nlohmann::json::parse(response.body).value("detail", "");
  }
  std::string ids(const std::string& path) {
    std::string text;
    const nlohmann::json page = chart(path);
    for (const auto& item : page["items"]) text += item["id"].get<std::string>().substr(3) + " ";
    return text;
  }
};

}  // namespace lathe::manager::testing
