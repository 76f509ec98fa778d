#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

using nlohmann::json;

class ConfigCheck : public LiveApi {
 protected:
  json check(const std::string& text) {
    const ClientResponse response = ask("POST", "/api/v1/experiments/check", "", text);
    EXPECT_EQ(response.status, 200u) << response.body;
    return json::parse(response.body);
  }
};

TEST_F(ConfigCheck, CreatesNothing) {
  const json verdict =
      check("searchSpace: {x: {_type: choice, _value: [1, 2]}}\ntrialCommand: 'true'\ntrialCodeDirectory: " +
            folder_.string() + "\ntrialConcurrency: 1\nmaxTrialNumber: 3\ntuner: {name: Random}\n");
  EXPECT_EQ(verdict["valid"], true) << verdict;
  EXPECT_TRUE(verdict["errors"].empty());
  EXPECT_EQ(verdict["config"]["maxTrialNumber"], 3);
  EXPECT_EQ(service_.experiments.size(), 1u);
}

TEST_F(ConfigCheck, NamesFieldsAndLines) {
  const json verdict = check("trialConcurrency: none\ntuner: {name: Psychic}\n");
  EXPECT_EQ(verdict["valid"], false);
  EXPECT_GE(verdict["errors"].size(), 2u);
  EXPECT_EQ(verdict["errors"][0]["line"], 1);
  EXPECT_EQ(verdict["errors"][0]["field"], "trialConcurrency");
  EXPECT_EQ(check("a: [1, 2\nb: {")["valid"], false);
  EXPECT_EQ(check("\xff\xfe")["valid"], false);
  EXPECT_EQ(check("")["valid"], false);
}

TEST_F(ConfigCheck, SchemasAreServed) {
  const ClientResponse schema = get("/api/v1/schema/experiment");
  EXPECT_EQ(schema.header("Content-Type"), "application/schema+json");
  EXPECT_TRUE(json::parse(schema.body).contains("properties"));
  EXPECT_TRUE(get_json("/api/v1/schema/search-space").is_object());
}

}  // namespace
}  // namespace lathe::manager::testing
