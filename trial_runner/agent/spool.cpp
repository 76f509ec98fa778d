#include "spool.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "random_id.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

using Json = nlohmann::ordered_json;

constexpr int spool_version = 1;
constexpr std::size_t smallest_to_compact = 64 * 1024;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string running_line(const RunningTrial& trial) {
  Json json{{"trial_id", trial.trial_id},   {"launcher", trial.launcher},       {"job", trial.job},
            {"directory", trial.directory}, {"metrics_end", trial.metrics_end}, {"started_ms", trial.started_ms}};
  if (trial.max_duration_s) json["max_duration_s"] = *trial.max_duration_s;
  if (trial.kill_at_ms != 0) {
    json["killed_by"] = trial.killed_by;
    json["kill_at_ms"] = trial.kill_at_ms;
  }
  return dump(Json{{"running", std::move(json)}}) + "\n";
}

std::string event_line(const std::string& json, std::optional<std::uint64_t> metrics_end) {
  if (!metrics_end) return json + "\n";
  return json.substr(0, json.size() - 1) + ",\"metrics_end\":" + std::to_string(*metrics_end) + "}\n";
}

/// The field as a whole number, or 0: the lines are our own, a damaged one only must not do harm.
template <class Number>
Number number_of(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_number_integer() ? field->get<Number>() : Number{};
}

std::string text_of(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

RunningTrial running_trial(const Json& json) {
  RunningTrial trial;
  trial.trial_id = text_of(json, "trial_id");
  trial.launcher = text_of(json, "launcher");
  trial.job = json.value("job", Json());
  trial.directory = text_of(json, "directory");
  trial.metrics_end = number_of<std::uint64_t>(json, "metrics_end");
  trial.started_ms = number_of<std::int64_t>(json, "started_ms");
  if (json.contains("max_duration_s")) trial.max_duration_s = number_of<std::int64_t>(json, "max_duration_s");
  trial.killed_by = text_of(json, "killed_by");
  trial.kill_at_ms = number_of<std::int64_t>(json, "kill_at_ms");
  return trial;
}

const std::string& trial_id_of(const proto::AgentEvent& event) {
  return std::visit([](const auto& alternative) -> const std::string& { return alternative.trial_id; }, event);
}

/// All of `text` or nothing; errno tells why not.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

// ---- opening --------------------------------------------------------------------------------------------------------

proto::Result<Spool> Spool::open(const std::filesystem::path& file) {
  Spool spool(file);
  std::ifstream stream(file, std::ios::binary);
  if (!stream.is_open() && std::filesystem::exists(file))
    return proto::fail(describe_errno("cannot read " + file.string()));
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const proto::Result<void> ready = text.empty() ? spool.begin_new_state() : spool.load(text);
  if (!ready) return tl::unexpected<proto::Error>(ready.error());
  return spool;
}

proto::Result<void> Spool::begin_new_state() {
  state_id_ = random_id(16);
  return compact();
}

proto::Result<void> Spool::load(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('\n'));
  const Json header = Json::parse(first.begin(), first.end(), nullptr, false);
  const bool is_spool = header.is_object() && number_of<int>(header, "spool") == spool_version &&
                        !text_of(header, "state_id").empty() && text.find('\n') != std::string_view::npos;
  if (!is_spool) {
    std::error_code error;
    std::filesystem::rename(file_, file_.string() + ".damaged", error);
    if (error) return proto::fail("cannot put the damaged " + file_.string() + " aside: " + error.message());
    return begin_new_state();
  }
  state_id_ = text_of(header, "state_id");
  next_sequence_ = std::max<std::uint64_t>(1, number_of<std::uint64_t>(header, "next_sequence"));
  acknowledged_ = number_of<std::uint64_t>(header, "acknowledged");
  file_size_ = text.rfind('\n') + 1;
  for (std::size_t begin = first.size() + 1; begin < file_size_;) {
    const std::size_t end = text.find('\n', begin);
    replay(text.substr(begin, end - begin));
    begin = end + 1;
  }
  drop_acknowledged();
  last_written_ = last_sequence();
  descriptor_ = Descriptor(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!descriptor_.is_open()) return proto::fail(describe_errno("cannot open " + file_.string()));
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(file_size_)) != 0) {
    return proto::fail(describe_errno("cannot cut the torn end off " + file_.string()));
  }
  return {};
}

void Spool::replay(std::string_view line) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
  if (!json.is_object()) return;
  if (const auto running = json.find("running"); running != json.end() && running->is_object()) {
    RunningTrial trial = running_trial(*running);
    running_[trial.trial_id] = std::move(trial);
  } else if (json.contains("acknowledged")) {
    acknowledged_ = std::max(acknowledged_, number_of<std::uint64_t>(json, "acknowledged"));
  } else if (const auto message = proto::decode_from_agent(line)) {
    const auto* event = std::get_if<proto::SequencedEvent>(&*message);
    if (event == nullptr) return;
    next_sequence_ = std::max(next_sequence_, event->sequence + 1);
    const bool has_end = json.contains("metrics_end");
    apply(*event, proto::encode_json(*message),
          has_end ? std::optional(number_of<std::uint64_t>(json, "metrics_end")) : std::nullopt);
  }
}

// ---- changing -------------------------------------------------------------------------------------------------------

void Spool::apply(const proto::SequencedEvent& event, std::string json, std::optional<std::uint64_t> metrics_end) {
  const std::string& trial_id = trial_id_of(event.event);
  if (const auto trial = running_.find(trial_id); trial != running_.end() && metrics_end) {
    trial->second.metrics_end = *metrics_end;
  }
  if (const auto* started = std::get_if<proto::TrialStarted>(&event.event)) {
    if (const auto trial = running_.find(trial_id); trial != running_.end())
      trial->second.started_ms = started->time_ms;
  }
  if (std::holds_alternative<proto::TrialExited>(event.event)) {
    running_.erase(trial_id);
    ended_[trial_id] = event.sequence;
  }
  backlog_ += json.size();
  events_.push_back({event.sequence, std::move(json)});
}

bool Spool::knows(const std::string& trial_id) const {
  return running_.contains(trial_id) || ended_.contains(trial_id);
}

std::vector<std::string> Spool::known() const {
  std::vector<std::string> trial_ids;
  for (const auto& [trial_id, trial] : running_) trial_ids.push_back(trial_id);
  for (const auto& [trial_id, sequence] : ended_) trial_ids.push_back(trial_id);
  return trial_ids;
}

proto::Result<void> Spool::start(const RunningTrial& trial, const std::optional<proto::TrialStarted>& started) {
  if (const auto flushed = flush(); !flushed) return flushed;
  unwritten_ = running_line(trial);
  std::optional<proto::SequencedEvent> event;
  std::string json;
  if (started) {
    event = proto::SequencedEvent{next_sequence_, *started};
    json = proto::encode_json(*event);
    unwritten_ += event_line(json, std::nullopt);
  }
  if (auto written = flush(); !written) {
    unwritten_.clear();
    return written;
  }
  running_[trial.trial_id] = trial;
  if (event) {
    last_written_ = next_sequence_++;
    apply(*event, std::move(json), std::nullopt);
  }
  return {};
}

void Spool::update(RunningTrial trial) {
  const auto known = running_.find(trial.trial_id);
  if (known == running_.end()) return;
  trial.metrics_end = known->second.metrics_end;
  trial.started_ms = known->second.started_ms;
  if (trial == known->second) return;
  unwritten_ += running_line(trial);
  known->second = std::move(trial);
  [[maybe_unused]] const auto refused_is_kept = flush();
}

void Spool::append(const std::vector<NewEvent>& events) {
  for (const NewEvent& added : events) {
    const proto::SequencedEvent event{next_sequence_++, added.event};
    std::string json = proto::encode_json(event);
    unwritten_ += event_line(json, added.metrics_end);
    apply(event, std::move(json), added.metrics_end);
  }
  [[maybe_unused]] const auto refused_is_kept = flush();
}

proto::Result<void> Spool::flush() {
  if (!unwritten_.empty() && !write_all(descriptor_.get(), unwritten_)) {
    const int code = errno;
    cut_torn_end();
    return proto::fail(describe_errno("cannot write " + file_.string(), code));
  }
  file_size_ += unwritten_.size();
  unwritten_.clear();
  last_written_ = last_sequence();
  return {};
}

/// Half a line would join with the next one.
void Spool::cut_torn_end() {
  [[maybe_unused]] const int cut = ::ftruncate(descriptor_.get(), static_cast<off_t>(file_size_));
}

void Spool::acknowledge(std::uint64_t sequence) {
  sequence = std::min(sequence, last_written_);
  if (sequence <= acknowledged_) return;
  acknowledged_ = sequence;
  drop_acknowledged();
  if (!unwritten_.empty()) return;
  const std::size_t useful = backlog_ + running_.size() * 512;
  if (file_size_ > smallest_to_compact + 2 * useful && compact()) return;
  // When the disk refuses this line, a next agent repeats events, which the daemon recognises by their numbers.
  const std::string line = "{\"acknowledged\":" + std::to_string(sequence) + "}\n";
  const bool written = write_all(descriptor_.get(), line);
  if (written) file_size_ += line.size();
  if (!written) cut_torn_end();
}

void Spool::drop_acknowledged() {
  while (!events_.empty() && events_.front().sequence <= acknowledged_) {
    backlog_ -= events_.front().json.size();
    events_.pop_front();
  }
  std::erase_if(ended_, [this](const auto& ended) { return ended.second <= acknowledged_; });
}

// ---- compacting -----------------------------------------------------------------------------------------------------

std::string Spool::compacted_text() const {
  const std::uint64_t first = events_.empty() ? next_sequence_ : events_.front().sequence;
  std::string text = dump(Json{{"spool", spool_version},
                               {"state_id", state_id_},
                               {"next_sequence", first},
                               {"acknowledged", acknowledged_}}) +
                     "\n";
  for (const auto& [trial_id, trial] : running_) text += running_line(trial);
  for (const SpooledEvent& event : events_) text += event_line(event.json, std::nullopt);
  return text;
}

proto::Result<void> Spool::compact() {
  const std::string text = compacted_text();
  const std::string temporary = file_.string() + ".new";
  Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!descriptor.is_open() || !write_all(descriptor.get(), text) || ::rename(temporary.c_str(), file_.c_str()) != 0) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return proto::fail(describe_errno("cannot write " + temporary, code));
  }
  descriptor_ = std::move(descriptor);
  file_size_ = text.size();
  unwritten_.clear();
  last_written_ = last_sequence();
  return {};
}

}  // namespace lathe::agent
