#include <gtest/gtest.h>

#include "api/csv.hpp"
#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

using nlohmann::ordered_json;

TEST(Csv, QuotesAsTheStandardSays) {
  EXPECT_EQ(csv_text("plain"), "plain");
  EXPECT_EQ(csv_text(""), "");
  EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_text("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_text("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, DisarmsFormulasButNotNumbers) {
  for (const char* text : {"=1+1", "+1", "-1", "@SUM(A1)", "\tx"}) EXPECT_EQ(csv_text(text), std::string("'") + text);
  EXPECT_EQ(csv_text("\rx"), "\"'\rx\"");
  EXPECT_EQ(csv_value(-0.5), "-0.5");
  EXPECT_EQ(csv_value("-0.5"), "'-0.5");
  EXPECT_EQ(csv_value(nullptr), "");
  EXPECT_EQ(csv_value(true), "true");
  EXPECT_EQ(csv_value(ordered_json::array({1, "a"})), "\"[1,\"\"a\"\"]\"");
}

class Export : public LiveApi {
 protected:
  Export() {
    TrialRecord& first = add_trial("Taaaa");
    first.parameters =
        ordered_json::parse(R"({"algorithm": {"_name": "l1", "conv1.sparsity": 0.5}, "note": "=cmd|' /C'!A0"})");
    first.final_metric = ordered_json::parse(R"({"default": 0.9, "macs": 12})");
    TrialRecord& second = add_trial("Tbbbb", proto::TrialStatus::Failed);
    second.parameters = ordered_json::parse(R"({"algorithm": {"_name": "fpgm"}, "default": 1})");
    add_trial("Tcccc").final_metric = 0.25;
    service_.page_limit = 1;
  }
};

TEST_F(Export, WritesOneColumnForEachParameterAndMetric) {
  const ClientResponse csv = get("/api/v1/experiments/abcd1234/export?format=csv");
  EXPECT_EQ(csv.header("Content-Type"), "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(csv.body,
            "sequence,trialId,status,algorithm._name,algorithm.conv1.sparsity,note,default,metric.default,macs\r\n"
            "0,Taaaa,SUCCEEDED,l1,0.5,'=cmd|' /C'!A0,,0.9,12\r\n"
            "1,Tbbbb,FAILED,fpgm,,,1,,\r\n"
            "2,Tcccc,SUCCEEDED,,,,,0.25,\r\n");
}

TEST_F(Export, WritesJson) {
  const auto rows = get_json("/api/v1/experiments/abcd1234/export");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["parameters"]["algorithm"]["conv1.sparsity"], 0.5);
  EXPECT_EQ(rows[1]["metrics"], nlohmann::json::object());
  EXPECT_EQ(rows[2]["metrics"], (nlohmann::json{{"default", 0.25}}));
}

TEST_F(Export, OfNoTrialsIsAnEmptyTable) {
  service_.trials.clear();
  EXPECT_EQ(get("/api/v1/experiments/abcd1234/export?format=csv").body, "sequence,trialId,status\r\n");
  EXPECT_EQ(get_json("/api/v1/experiments/abcd1234/export?format=json"), nlohmann::json::array());
  EXPECT_EQ(get("/api/v1/experiments/nothere1/export").status, 404u);
}

}  // namespace
}  // namespace lathe::manager::testing
