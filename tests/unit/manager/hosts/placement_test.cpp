#include "hosts/placement.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kMany = 1000;

Candidate host(const std::string& name, std::optional<std::int64_t> slots = std::nullopt) {
  Candidate candidate;
  candidate.spec.kind = HostSpec::Kind::Remote;
  candidate.spec.id = name;
  candidate.spec.slots = slots;
  candidate.share = slots.value_or(kMany);
  return candidate;
}

Candidate with_gpus(const std::string& name, std::int64_t count) {
  Candidate candidate = host(name);
  for (std::int64_t index = 0; index < count; ++index) candidate.gpus.push_back({index, {}, 0});
  return candidate;
}

std::map<std::string, int> by_host(const Offer& offer) {
  std::map<std::string, int> counts;
  for (const Place& place : offer.places) ++counts[place.host];
  return counts;
}

// ---- hosts ----

TEST(Placement, SpreadsTrialsByThePartOfTheSlotsInUse) {
  const Offer offer = find_places({}, 6, {host("a", 4), host("b", 2), host("c", 6)});
  EXPECT_EQ(by_host(offer), (std::map<std::string, int>{{"a", 2}, {"b", 1}, {"c", 3}}));
  EXPECT_EQ(offer.reason, "");
}

TEST(Placement, WithoutSlotsTheHostWithTheFewestTrialsGoesFirst) {
  Candidate busy = host("busy");
  busy.running = 2;
  const Offer offer = find_places({}, 4, {busy, host("idle")});
  EXPECT_THAT(offer.places, ElementsAre(Place{"idle", {}}, Place{"idle", {}}, Place{"busy", {}}, Place{"idle", {}}));
}

TEST(Placement, AServiceIsFilledBeforeTheNextOneOfTheConfig) {
  Candidate first = host("first", 2);
  Candidate second = host("second", 8);
  second.spec.rank = 1;
  EXPECT_EQ(by_host(find_places({}, 4, {second, first})), (std::map<std::string, int>{{"first", 2}, {"second", 2}}));
}

TEST(Placement, SaysOfEachHostWhyNothingGoesThere) {
  Candidate away = host("a");
  away.obstacle = "agent on a is not connected: nothing listens at a";
  Candidate full = host("b", 2);
  full.running = 2;
  Candidate taken = host("c", 4);
  taken.share = 0;
  const Offer offer = find_places({}, 1, {away, full, taken});
  EXPECT_THAT(offer.places, IsEmpty());
  EXPECT_EQ(offer.reason,
            "no host has room: agent on a is not connected: nothing listens at a; all 2 trial slots of b are in use; "
            "all trial slots of c are in use by other experiments");
}

TEST(Placement, AReasonOfManyHostsStaysShort) {
  std::vector<Candidate> hosts;
  for (int i = 0; i < 100; ++i) {
    hosts.push_back(host("h" + std::to_string(i), 1));
    hosts.back().running = 1;
  }
  EXPECT_THAT(find_places({}, 1, hosts).reason, ::testing::EndsWith("; and 92 more"));
}

TEST(Placement, NothingIsAskedForAndNothingIsSaid) {
  const Offer offer = find_places({}, 0, {host("a")});
  EXPECT_THAT(offer.places, IsEmpty());
  EXPECT_EQ(offer.reason, "");
}

// ---- GPUs ----

TEST(Placement, EachTrialGetsGpusOfItsOwn) {
  const Offer offer = find_places(2, 3, {with_gpus("a", 4)});
  EXPECT_THAT(offer.places, ElementsAre(Place{"a", {0, 1}}, Place{"a", {2, 3}}));
  EXPECT_EQ(offer.reason, "a: GPU 0 has a trial, GPU 1 has a trial, GPU 2 has a trial, GPU 3 has a trial");
}

TEST(Placement, SeveralTrialsShareAGpuWhereTheConfigAllowsItTheEmptiestFirst) {
  Candidate shared = with_gpus("a", 2);
  shared.spec.gpus.max_trials_per_gpu = 2;
  EXPECT_THAT(find_places(1, 9, {shared}).places,
              ElementsAre(Place{"a", {0}}, Place{"a", {1}}, Place{"a", {0}}, Place{"a", {1}}));
}

TEST(Placement, OnlyTheGpusOfGpuIndicesAreGiven) {
  Candidate some = with_gpus("a", 4);
  some.spec.gpus.gpu_indices = std::vector<std::int64_t>{1, 3};
  const Offer offer = find_places(1, 9, {some});
  EXPECT_THAT(offer.places, ElementsAre(Place{"a", {1}}, Place{"a", {3}}));
  EXPECT_THAT(offer.reason, HasSubstr("GPU 0 is not in gpuIndices"));
}

TEST(Placement, AGpuThatOthersUseIsLeftToThemUnlessTheConfigSaysOtherwise) {
  Candidate used = with_gpus("a", 1);
  used.gpus[0].busy = "pid 4711 (python) of ana";
  const Offer refused = find_places(1, 1, {used});
  EXPECT_THAT(refused.places, IsEmpty());
  EXPECT_EQ(refused.reason, "a: GPU 0 is used by pid 4711 (python) of ana");
  used.spec.gpus.use_active_gpu = true;
  EXPECT_THAT(find_places(1, 1, {used}).places, ElementsAre(Place{"a", {0}}));
}

TEST(Placement, ZeroGpusAndUnsetAskForNone) {
  Candidate used = with_gpus("a", 1);
  used.gpus[0].busy = "pid 1";
  EXPECT_THAT(find_places(0, 5, {used}).places, SizeIs(5));
  EXPECT_THAT(find_places({}, 5, {used}).places, SizeIs(5));
}

TEST(Placement, AHostWithTooFewGpusSaysSoOrWhyItDoesNotKnow) {
  EXPECT_EQ(find_places(2, 1, {with_gpus("a", 1)}).reason, "a has 1 GPU, trialGpuNumber asks for 2");
  Candidate unknown = host("a");
  unknown.gpu_trouble = "a cannot look at its GPUs: nvidia-smi did not answer";
  EXPECT_EQ(find_places(2, 1, {unknown}).reason, "a cannot look at its GPUs: nvidia-smi did not answer");
}

TEST(Placement, AClusterGivesGpusItself) {
  Candidate cluster = host("slurm");
  cluster.spec.kind = HostSpec::Kind::Slurm;
  EXPECT_THAT(find_places(4, 2, {cluster}).places, ElementsAre(Place{"slurm", {}}, Place{"slurm", {}}));
}

// ---- where a large demand waits ----

TEST(Placement, TheHostThatComesNearestToALargeDemandIsFound) {
  Candidate small = with_gpus("small", 2);
  Candidate half = with_gpus("half", 4);
  half.gpus[0].trials = half.gpus[1].trials = 1;
  Candidate full = with_gpus("full", 4);
  for (GpuView& gpu : full.gpus) gpu.trials = 1;
  EXPECT_EQ(nearest_host(4, {small, full, half}), "half");
  EXPECT_EQ(nearest_host(8, {small, full, half}), std::nullopt) << "no host will ever have so many";
  for (GpuView& gpu : half.gpus) gpu.busy = "pid 1";
  EXPECT_EQ(nearest_host(4, {small, full, half}), "full") << "what others use may never be free";
}

}  // namespace
}  // namespace lathe::manager
