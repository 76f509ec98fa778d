#include <gmock/gmock.h>

#include "chart_fixture.hpp"
#include "openapi_schema.hpp"

namespace lathe::manager::testing {
namespace {

using nlohmann::json;

json find_item(const json& list, const std::string& key, const std::string& value) {
  for (const json& item : list["items"]) {
    if (item[key] == value) return item;
  }
  return nullptr;
}

TEST_F(Charts, DescribeTheColumns) {
  add_trials(10);
  const json columns = chart("columns");
  EXPECT_EQ(columns["trials"], 10);
  const json lr = find_item(columns, "name", "parameter.lr");
  EXPECT_EQ(lr["type"], "number");
  EXPECT_EQ(lr["log"], true);
  EXPECT_EQ(lr["min"], 0.001);
  EXPECT_EQ(lr["count"], 10);
  const json name = find_item(columns, "name", "parameter.algorithm._name");
  EXPECT_EQ(name["values"], (json{{{"value", "l1"}, {"count", 5}}, {{"value", "fpgm"}, {"count", 5}}}));
  EXPECT_EQ(find_item(columns, "name", "metric")["goal"], "maximize");
  EXPECT_EQ(find_item(columns, "name", "metric.size_bytes")["goal"], "minimize");
  EXPECT_EQ(find_item(columns, "name", "metric.size_bytes")["max"], 900);
  EXPECT_EQ(find_item(columns, "name", "startTime")["type"], "time");
}

TEST_F(Charts, GiveTables) {
  add_trials(10);
  const json table = chart("table?columns=metric.size_bytes,parameter.later,status&sort=-sequence&limit=2");
  EXPECT_EQ(table["total"], 10);
  EXPECT_EQ(table["matched"], 10);
  EXPECT_EQ(table["sampled"], false);
  EXPECT_EQ(table["sequence"], (json{9, 8}));
  EXPECT_EQ(table["columns"]["metric.size_bytes"], (json{nullptr, 900}));
  EXPECT_EQ(table["columns"]["parameter.later"], (json{nullptr, nullptr}));
  EXPECT_EQ(table["columns"]["status"], (json{"FAILED", "SUCCEEDED"}));
  const json sample = chart("table?columns=metric&sample=3");
  EXPECT_EQ(sample["sampled"], true);
  EXPECT_EQ(sample["sequence"].size(), 3u);
  EXPECT_EQ(sample["sequence"][0], 0) << "the lowest";
  EXPECT_NE(std::find(sample["sequence"].begin(), sample["sequence"].end(), 8), sample["sequence"].end()) << "the best";
  EXPECT_NE(refusal("table?columns=nothing").find("columns: there is no column 'nothing'"), std::string::npos);
  EXPECT_NE(refusal("table?sort=nothing").find("sort:"), std::string::npos);
}

TEST_F(Charts, NeverAnswerMoreThanAMegabyte) {
  const std::string text(200, '"');
  for (int i = 0; i < 6000; ++i) {
    TrialRecord trial;
    trial.experiment_id = "abcd1234";
    trial.id = "T" + std::to_string(10000 + i);
    trial.sequence = i;
    trial.parameters = {{"text", text + std::to_string(i)}};
    service_.trials.push_back(std::move(trial));
  }
  const ClientResponse whole = get("/api/v1/experiments/abcd1234/table?columns=parameter.text&limit=100000");
  EXPECT_LE(whole.body.size(), 1'000'000u);
  EXPECT_GT(whole.body.size(), 800'000u);
  const json first = json::parse(whole.body);
  EXPECT_EQ(first["sampled"], true);
  EXPECT_EQ(first["sequence"].back(), first["sequence"].size() - 1) << "the last rows are left out";
  const json evenly = chart("table?columns=parameter.text&sample=5000");
  EXPECT_EQ(evenly["sequence"].back(), 5999);
}

TEST_F(Charts, AreBoundedAgainstHostileTrialsAndReports) {
  for (int i = 0; i < 60; ++i) {
    TrialRecord& trial = add_trial("T" + std::to_string(1000 + i));
    for (int key = 0; key < 200; ++key)
      trial.parameters["p" + std::to_string(key)] = std::string(250, 'x') + std::to_string(i);
    trial.metric = i;
    nlohmann::ordered_json layers = nlohmann::ordered_json::array();
    for (int layer = 0; layer < 1500; ++layer)
      layers.push_back({{"name", std::string(190, 'n') + std::to_string(layer)}});
    layers.push_back({{"name", std::string(100'000, 'n')}});
    write(trial.id + "/report.json", nlohmann::ordered_json{{"layers", layers}}.dump());
  }
  EXPECT_LE(get("/api/v1/experiments/abcd1234/columns").body.size(), 1'000'000u);
  const ClientResponse layers = get("/api/v1/experiments/abcd1234/layers");
  EXPECT_EQ(layers.status, 200u);
  EXPECT_LE(layers.body.size(), 1'000'000u);
}

TEST_F(Charts, GiveTheHistory) {
  add_trials(10);
  const json history = chart("history");
  EXPECT_EQ(history["total"], 9);
  EXPECT_EQ(history["goal"], "maximize");
  EXPECT_EQ(history["sequence"].size(), 9u);
  EXPECT_EQ(history["best"].size(), 9u) << "each is better than the one before";
  EXPECT_EQ(chart("history?column=metric.size_bytes")["best"], (json{{0, 100}}));
  EXPECT_EQ(chart("history?column=parameter.lr")["best"].size(), 0u) << "nobody knows which way is better";
  EXPECT_EQ(chart("history?column=parameter.lr&goal=minimize")["best"].size(), 1u);
  EXPECT_EQ(chart("history?column=metric.later")["total"], 0);
  EXPECT_EQ(chart("history?filter=fpgm")["total"], 4);
  EXPECT_NE(refusal("history?column=status").find("column: status holds texts"), std::string::npos);
  EXPECT_NE(refusal("history?points=3").find("points:"), std::string::npos);
  EXPECT_NE(refusal("history?goal=up").find("goal:"), std::string::npos);
}

TEST_F(Charts, GiveTheFrontWithTheOriginal) {
  add_trials(6);
  service_.trials[2].final_metric["size_bytes"] = 1;  // beats the two before it
  const json front = chart("front?objectives=metric.accuracy,metric.size_bytes:min");
  EXPECT_EQ(front["matched"], 5);
  EXPECT_EQ(front["objectives"], (json{{{"column", "metric.accuracy"}, {"goal", "maximize"}},
                                       {{"column", "metric.size_bytes"}, {"goal", "minimize"}}}));
  EXPECT_EQ(front["frontSize"], 3);
  EXPECT_EQ(front["items"][0]["sequence"], 4) << "the best of the first objective first";
  EXPECT_EQ(front["items"][2], (json{{"id", "T1002"}, {"sequence", 2}, {"values", {0.502, 1}}}));
  EXPECT_EQ(front["points"]["sequence"], (json{0, 1}));
  EXPECT_EQ(front["points"]["values"][1], (json{0.501, 200}));
  EXPECT_FALSE(front["points"].contains("feasible"));
  EXPECT_EQ(front["baseline"], (json{0.98, 1000}));
  const json bound =
      chart("front?objectives=metric.accuracy,metric.size_bytes&constraint=metric.size_bytes%20%3C%20450");
  EXPECT_EQ(bound["items"][0]["sequence"], 3);
  EXPECT_EQ(bound["points"]["sequence"].back(), 4);
  EXPECT_EQ(bound["points"]["feasible"].back(), false);
  const json three = chart("front?objectives=metric.accuracy,metric.size_bytes,parameter.lr:max");
  EXPECT_EQ(three["baseline"][2], nullptr);
  EXPECT_NE(refusal("front?objectives=metric").find("there are 1, expected two or three"), std::string::npos);
  EXPECT_NE(refusal("front?objectives=metric,parameter.lr").find("parameter.lr:min"), std::string::npos);
  EXPECT_NE(refusal("front?objectives=metric,metric.accuracy&constraint=x%20%3D").find("constraint: at character 4"),
            std::string::npos);
}

TEST_F(Charts, GiveTheImportance) {
  add_trials(8);
  EXPECT_EQ(chart("importance")["reason"], "1 of 7 measured trials are the best 10 %; it takes at least 5");
  const json importance = chart("importance?top=0.7");
  EXPECT_EQ(importance["topTrials"], 5);
  EXPECT_EQ(importance["items"].size(), 2u);
  EXPECT_NE(refusal("importance?top=0").find("top: '0' is not a number above 0"), std::string::npos);
  EXPECT_NE(refusal("importance?top=nan").find("top:"), std::string::npos);
  EXPECT_NE(refusal("importance?column=parameter.lr").find("goal:"), std::string::npos);
}

TEST_F(Charts, GiveTheTimelineWithEarlierAttempts) {
  add_trials(4);
  service_.trials[3].status = proto::TrialStatus::Running;
  service_.trials[3].end_ms.reset();
  service_.attempts.push_back({3, {0, "local", 500, 900, "its host was lost"}});
  const json timeline = chart("timeline");
  EXPECT_EQ(timeline["total"], 5);
  EXPECT_EQ(timeline["lanes"].size(), 3u) << "two at once on local, one on the other";
  const json& retried = timeline["items"][0];
  EXPECT_EQ(retried["status"], "RETRIED");
  EXPECT_EQ(retried["id"], "T1003");
  EXPECT_EQ(timeline["lanes"][retried["lane"].get<std::size_t>()]["host"], "local");
  EXPECT_EQ(timeline["items"].back()["status"], "RUNNING");
  EXPECT_FALSE(timeline["items"].back().contains("end"));
  EXPECT_EQ(chart("timeline?points=2")["items"].size(), 2u);
}

TEST_F(Charts, GiveTheIntermediatesOfTheBest) {
  add_trials(5);
  for (int i = 0; i < 50; ++i) {
    MetricRecord metric;
    metric.trial_id = "T1003";
    metric.sequence = i;
    metric.value = i == 7 ? nlohmann::ordered_json("NaN") : nlohmann::ordered_json{{"default", i}, {"loss", -i}};
    service_.metrics.push_back(metric);
  }
  const json best = chart("intermediates?top=2&points=10");
  ASSERT_EQ(best["items"].size(), 2u);
  EXPECT_EQ(best["items"][0]["id"], "T1003") << "the last one has no metric";
  EXPECT_LE(best["items"][0]["x"].size(), 10u);
  EXPECT_GE(best["items"][0]["x"].size(), 6u);
  EXPECT_EQ(best["items"][0]["y"].back(), 49);
  EXPECT_EQ(best["items"][1]["x"].size(), 0u);
  const json loss = chart("intermediates?trials=T1003,Tnone&key=loss&points=100");
  ASSERT_EQ(loss["items"].size(), 1u);
  EXPECT_EQ(loss["items"][0]["y"][1], -1);
  EXPECT_EQ(loss["items"][0]["x"].size(), 49u) << "what is not a number is left out";
}

TEST_F(Charts, GiveTheLayersOfReports) {
  add_trials(4);
  const std::string report = R"({"layers": [
    {"name": "conv1", "sparsity": 0.5, "shape_before": [20, 1], "shape_after": [10, 1], "macs_before": 8, "macs_after": 2},
    {"name": "fc", "sparsity": 0.1234567891, "shape_before": [10], "shape_after": [10], "macs_before": 0, "macs_after": 0}],
    "quantized": [{"layer": "conv1", "weight_bits": 4}]})";
  write("T1002/report.json", report);
  write("T1001/report.json", R"({"layers": [{"name": "other"}, 7, {"name": 3}]})");
  write("T1000/report.json", "rubbish");
  const json layers = chart("layers");
  EXPECT_EQ(layers["layers"], (json{"conv1", "fc", "other"}));
  ASSERT_EQ(layers["trials"].size(), 2u);
  EXPECT_EQ(layers["trials"][0]["id"], "T1002");
  EXPECT_EQ(layers["values"], (json{{0.5, 0.123457, nullptr}, {nullptr, nullptr, nullptr}}));
  EXPECT_EQ(chart("layers?value=channels&filter=T1002")["values"], (json{{0.5, 1}}));
  EXPECT_EQ(chart("layers?value=macs&filter=T1002")["values"], (json{{0.25, nullptr}}));
  EXPECT_EQ(chart("layers?value=bits&filter=T1002")["values"], (json{{4, 32}}));
  EXPECT_EQ(chart("layers?sort=sequence")["trials"][0]["id"], "T1001");
  EXPECT_NE(refusal("layers?value=weight").find("value:"), std::string::npos);
}

TEST_F(Charts, GiveTheBaseline) {
  EXPECT_EQ(get("/api/v1/experiments/abcd1234/baseline").status, 404u);
  service_.experiments["abcd1234"].directory = folder_.string();
  std::filesystem::create_directories(folder_ / "baseline");
  write("baseline/baseline.json", R"({"accuracy": 0.98})");
  EXPECT_EQ(chart("baseline"), (json{{"accuracy", 0.98}}));
}

// What openapi.yaml promises of each answer, with trials and without.
TEST_F(Charts, AreAsDocumented) {
  const std::vector<std::pair<std::string, std::string>> answers{
      {"columns", "Columns"},
      {"table?columns=metric,status,parameter.algorithm._name,startTime", "Table"},
      {"trials?filter=T1&limit=3", "TrialPage"},
      {"trials?limit=3", "TrialPage"},
      {"history", "History"},
      {"front?objectives=metric.accuracy,metric.size_bytes&constraint=metric%20%3E%200.5", "Front"},
      {"importance", "Importance"},
      {"importance?top=0.5", "Importance"},
      {"timeline", "Timeline"},
      {"layers", "Layers"},
      {"intermediates", "Intermediates"}};
  SchemaCheck schema;
  for (const bool has_trials : {false, true}) {
    if (has_trials)
      server_->on_loop([this] {
        add_trials(30);
        tables_->drop_idle(TrialTables::Clock::now() + std::chrono::hours(1));
      });
    if (has_trials) write("T1003/report.json", R"({"layers": [{"name": "conv1", "sparsity": 0.5}]})");
    for (const auto& [path, name] : answers)
      EXPECT_THAT(schema.errors(chart(path), name), ::testing::IsEmpty()) << path;
  }
  const ClientResponse check = ask("POST", "/api/v1/experiments/check", "", "trialConcurrency: 0");
  EXPECT_THAT(schema.errors(json::parse(check.body), "ConfigCheck"), ::testing::IsEmpty());
  EXPECT_THAT(schema.errors(get_json("/api/v1/daemon"), "Daemon"), ::testing::IsEmpty());
  EXPECT_THAT(schema.errors(get_json("/api/v1/experiments"), "ExperimentPage"), ::testing::IsEmpty());
}

TEST_F(Charts, WorkWithoutAnyTrial) {
  for (const char* path : {"columns", "table?columns=metric", "history", "importance", "timeline", "layers",
                           "intermediates", "front?objectives=metric,metric.accuracy", "trials?filter=x"}) {
    EXPECT_TRUE(chart(path).is_object()) << path;
  }
}

TEST_F(Charts, OfUnknownExperimentsAre404) {
  for (const char* path : {"columns", "table", "history", "importance", "timeline", "layers", "intermediates",
                           "baseline", "front?objectives=metric,metric.accuracy"}) {
    EXPECT_EQ(get(std::string("/api/v1/experiments/nothere1/") + path).status, 404u) << path;
  }
}

}  // namespace
}  // namespace lathe::manager::testing
