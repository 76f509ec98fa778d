#include "launchers.hpp"

#include <utility>

#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

class LostJob final : public Job {
 public:
  explicit LostJob(std::string why) : end_(JobEnd{std::nullopt, std::nullopt, std::move(why), true}) {}

  [[nodiscard]] std::optional<std::int64_t> pid() const override { return std::nullopt; }
  [[nodiscard]] nlohmann::ordered_json record() const override { return nullptr; }
  void release() override {}
  void terminate() override {}
  void kill() override {}
  [[nodiscard]] const std::optional<JobEnd>& end() const override { return end_; }
  void forget() override {}

 private:
  std::optional<JobEnd> end_;
};

}  // namespace

std::unique_ptr<Job> lost_job(std::string why) {
  return std::make_unique<LostJob>(std::move(why));
}

proto::Result<std::string> launcher_kind(const nlohmann::ordered_json& launcher) {
  if (launcher.is_null()) return "process";
  const auto kind = launcher.is_object() ? launcher.find("kind") : launcher.end();
  if (kind == launcher.end() || !kind->is_string()) {
    return proto::fail("launcher: expected null or an object with a \"kind\"");
  }
  return kind->get<std::string>();
}

void Launchers::add(std::string kind, std::unique_ptr<Launcher> launcher) {
  launchers_[std::move(kind)] = std::move(launcher);
}

proto::Result<Launcher*> Launchers::find(const std::string& kind) const {
  if (const auto found = launchers_.find(kind); found != launchers_.end()) return found->second.get();
  std::string known;
  for (const auto& [name, launcher] : launchers_) known += (known.empty() ? "" : ", ") + name;
  return proto::fail("launcher: kind \"" + to_valid_utf8(kind) + "\" is unknown; this agent has: " + known);
}

void Launchers::trial_ended(const std::string& trial_id) const {
  for (const auto& [kind, launcher] : launchers_) launcher->trial_ended(trial_id);
}

void Launchers::forget_strangers() const {
  for (const auto& [kind, launcher] : launchers_) launcher->forget_strangers();
}

}  // namespace lathe::agent
