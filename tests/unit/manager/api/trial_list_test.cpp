#include "chart_fixture.hpp"

namespace lathe::manager::testing {
namespace {

using nlohmann::json;
using TrialList = Charts;

TEST_F(TrialList, IsSortedFilteredAndPagedByTheTable) {
  add_trials(20);
  EXPECT_EQ(ids("trials?sort=-metric.size_bytes&limit=3"), "18 17 16 ");
  EXPECT_EQ(ids("trials?sort=-metric.size_bytes&limit=3&offset=18"), "00 19 ") << "the one without a value is last";
  EXPECT_EQ(ids("trials?sort=metric.size_bytes&offset=18"), "18 19 ");
  const json page = chart("trials?filter=parameter.algorithm._name%20%3D%20l1%20and%20metric%20%3E%200.51&limit=2");
  EXPECT_EQ(page["total"], 4);
  EXPECT_EQ(page["items"].size(), 2u);
  EXPECT_EQ(page["items"][0]["id"], "T1012");
  EXPECT_EQ(page["items"][0]["parameters"]["algorithm"]["_name"], "l1");
  EXPECT_FALSE(page.contains("nextCursor"));
  EXPECT_EQ(chart("trials?filter=l1&status=FAILED,RUNNING")["total"], 0);
  EXPECT_EQ(chart("trials?filter=fpgm&status=FAILED,RUNNING")["total"], 1);
}

TEST_F(TrialList, CountsWhatTheIndicesFind) {
  add_trials(5);
  const json page = chart("trials?sort=-metric");
  EXPECT_EQ(page["total"], 5);
  EXPECT_EQ(chart("trials?status=FAILED")["total"], 1);
  EXPECT_EQ(service_.last_trial_query.statuses.size(), 1u);
  EXPECT_EQ(service_.scans, 0) << "no table is needed";
}

TEST_F(TrialList, RefusesWhatIsWrong) {
  add_trials(2);
  EXPECT_EQ(refusal("trials?filter=metric%20%3E"), "filter: at character 9: expected a value after >, but it ends");
  EXPECT_EQ(refusal("trials?sort=size").substr(0, 35), "sort: there is no column 'size', ex");
  EXPECT_EQ(refusal("trials?filter=x&cursor=1").substr(0, 20), "cursor: a cursor goe");
  EXPECT_EQ(refusal("trials?offset=-1"), "offset: '-1' is not an integer from 0 to 1000000000");
  EXPECT_EQ(refusal("trials?limit=0"), "limit: '0' is not an integer from 1 to 1000");
  EXPECT_EQ(refusal("trials?filter=statu%3DFAILED").substr(0, 33), "filter: at character 1: there is ");
  EXPECT_EQ(get("/api/v1/experiments/nothere1/trials?filter=x").status, 404u);
  EXPECT_EQ(get("/api/v1/experiments/nothere1/trials").status, 404u);
}

TEST_F(TrialList, FollowsTheEvents) {
  add_trials(3);
  EXPECT_EQ(chart("trials?filter=status%20%3D%20SUCCEEDED")["total"], 2);
  server_->on_loop([this] {
    TrialRecord changed = service_.trials.back();
    changed.status = proto::TrialStatus::Succeeded;
    service_.events().publish("abcd1234", "trial", to_json(changed).dump());
    changed.sequence = 3;
    changed.id = "T1003";
    service_.trials.push_back(changed);
    service_.events().publish("abcd1234", "trial", to_json(changed).dump());
    service_.events().publish("other123", "trial", to_json(changed).dump());
    service_.events().publish("abcd1234", "trial", "rubbish");
  });
  EXPECT_EQ(chart("trials?filter=status%20%3D%20SUCCEEDED")["total"], 4);
  EXPECT_EQ(service_.scans, 1) << "read once, then kept up to date";
}

}  // namespace
}  // namespace lathe::manager::testing
