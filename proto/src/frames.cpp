#include <lathe/proto/frames.hpp>

#include <array>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base64.hpp"
#include "field_reader.hpp"

namespace lathe::proto {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t prefix_bytes = 4;
constexpr int max_nesting = 16;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- one reader and one writer a message ----------------------------------------------------------------------------

Result<ToAgent> read_start_trial(FieldReader& fields) {
  StartTrial start;
  start.trial_id = fields.text("trial_id");
  start.command = fields.text("command");
  start.working_directory = fields.text("working_directory");
  start.directory = fields.text("directory");
  start.environment = fields.text_map("environment");
  start.parameter_file = fields.text("parameter_file");
  start.max_duration_s = fields.optional_integer("max_duration_s", 1);
  start.code_tree = fields.text("code_tree");
  start.launcher = fields.any("launcher");
  return fields.finish<StartTrial, ToAgent>(std::move(start));
}

Result<ToAgent> read_kill_trial(FieldReader& fields) {
  KillTrial kill;
  kill.trial_id = fields.text("trial_id");
  kill.reason = fields.text("reason");
  kill.grace_ms = fields.integer("grace_ms", 0);
  return fields.finish<KillTrial, ToAgent>(std::move(kill));
}

Result<ToAgent> read_ack(FieldReader& fields) {
  const Ack ack{static_cast<std::uint64_t>(fields.integer("sequence", 0))};
  return fields.finish<Ack, ToAgent>(ack);
}

Result<ToAgent> read_shutdown(FieldReader& fields) {
  Shutdown shutdown;
  shutdown.reason = fields.text("reason");
  shutdown.grace_ms = fields.integer("grace_ms", 0);
  return fields.finish<Shutdown, ToAgent>(std::move(shutdown));
}

Result<ToAgent> read_read_log(FieldReader& fields) {
  ReadLog read;
  read.request = static_cast<std::uint64_t>(fields.integer("request", 0));
  read.trial_id = fields.text("trial_id");
  read.name = fields.text("name");
  read.offset = static_cast<std::uint64_t>(fields.integer("offset", 0));
  read.tail = fields.optional_integer("tail", 0);
  read.wait_ms = fields.integer("wait_ms", 0);
  return fields.finish<ReadLog, ToAgent>(std::move(read));
}

Result<FromAgent> read_hello(FieldReader& fields) {
  Hello hello;
  hello.protocol = static_cast<std::uint32_t>(fields.integer("protocol", 0, std::numeric_limits<std::uint32_t>::max()));
  hello.version = fields.text("version");
  hello.host = fields.text("host");
  hello.pid = fields.integer("pid", 0);
  hello.state_id = fields.text("state_id");
  hello.last_sequence = static_cast<std::uint64_t>(fields.integer("last_sequence", 0));
  hello.running = fields.text_list("running");
  hello.root = fields.text("root");
  hello.trial_program = fields.text("trial_program");
  hello.reads_logs = fields.any("reads_logs") == Json(true);
  return fields.finish<Hello, FromAgent>(std::move(hello));
}

GpuProcess read_gpu_process(FieldReader& fields) {
  GpuProcess process;
  process.pid = fields.integer("pid", 0);
  process.name = fields.text("name");
  process.user = fields.text("user");
  process.trial_id = fields.text("trial_id");
  return process;
}

Gpu read_gpu(FieldReader& fields) {
  Gpu gpu;
  gpu.index = fields.integer("index", 0, 1023);
  gpu.uuid = fields.text("uuid");
  gpu.name = fields.text("name");
  gpu.memory_bytes = fields.integer("memory_bytes", 0);
  gpu.memory_used_bytes = fields.integer("memory_used_bytes", 0);
  gpu.utilization = fields.integer("utilization", 0, 100);
  gpu.processes = fields.list<GpuProcess>("processes", read_gpu_process);
  return gpu;
}

Result<FromAgent> read_host_report(FieldReader& fields) {
  HostReport report;
  report.gpus = fields.list<Gpu>("gpus", read_gpu);
  report.gpu_error = fields.text("gpu_error");
  report.cores = fields.integer("cores", 0);
  report.load = fields.number("load");
  report.memory_bytes = fields.integer("memory_bytes", 0);
  report.memory_free_bytes = fields.integer("memory_free_bytes", 0);
  report.disk_free_bytes = fields.integer("disk_free_bytes", 0);
  report.time_ms = fields.integer("time_ms", 0);
  return fields.finish<HostReport, FromAgent>(std::move(report));
}

Result<FromAgent> read_trial_note(FieldReader& fields) {
  TrialNote note;
  note.trial_id = fields.text("trial_id");
  note.text = fields.text("text");
  return fields.finish<TrialNote, FromAgent>(std::move(note));
}

Result<FromAgent> read_log_text(FieldReader& fields) {
  LogText text;
  text.request = static_cast<std::uint64_t>(fields.integer("request", 0));
  text.runs = fields.boolean("runs");
  text.offset = static_cast<std::uint64_t>(fields.integer("offset", 0));
  text.size = static_cast<std::uint64_t>(fields.integer("size", 0));
  auto bytes = from_base64(fields.text("bytes"));
  auto read = fields.finish<LogText, FromAgent>(std::move(text));
  if (!read) return read;
  if (!bytes || bytes->size() > max_log_bytes) return fail("is not Base64, or too long", "bytes");
  std::get<LogText>(*read).bytes = std::move(*bytes);
  return read;
}

SequencedEvent with_sequence(FieldReader& fields, AgentEvent event) {
  return {static_cast<std::uint64_t>(fields.integer("sequence", 1)), std::move(event)};
}

Result<FromAgent> read_trial_started(FieldReader& fields) {
  TrialStarted started;
  started.trial_id = fields.text("trial_id");
  started.pid = fields.integer("pid", 0);
  started.time_ms = fields.integer("time_ms", 0);
  return fields.finish<SequencedEvent, FromAgent>(with_sequence(fields, std::move(started)));
}

Result<FromAgent> read_trial_metric(FieldReader& fields) {
  TrialMetric metric;
  metric.trial_id = fields.text("trial_id");
  metric.payload = fields.text("payload");
  metric.time_ms = fields.integer("time_ms", 0);
  return fields.finish<SequencedEvent, FromAgent>(with_sequence(fields, std::move(metric)));
}

std::optional<int> narrowed(std::optional<std::int64_t> value) {
  return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

Result<FromAgent> read_trial_exited(FieldReader& fields) {
  TrialExited exited;
  exited.trial_id = fields.text("trial_id");
  exited.exit_code = narrowed(fields.optional_integer("exit_code", 0, 255));
  exited.signal = narrowed(fields.optional_integer("signal", 1, 127));
  exited.error = fields.text("error");
  exited.lost = fields.boolean("lost");
  exited.killed_by = fields.text("killed_by");
  exited.stderr_tail = fields.text("stderr_tail");
  exited.time_ms = fields.integer("time_ms", 0);
  return fields.finish<SequencedEvent, FromAgent>(with_sequence(fields, std::move(exited)));
}

template <class T>
void put_optional(Json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

Json write(const StartTrial& start) {
  Json json{{"type", "start_trial"},
            {"trial_id", start.trial_id},
            {"command", start.command},
            {"working_directory", start.working_directory},
            {"directory", start.directory},
            {"environment", start.environment},
            {"parameter_file", start.parameter_file},
            {"code_tree", start.code_tree},
            {"launcher", start.launcher}};
  put_optional(json, "max_duration_s", start.max_duration_s);
  return json;
}

Json write(const KillTrial& kill) {
  return {{"type", "kill_trial"}, {"trial_id", kill.trial_id}, {"reason", kill.reason}, {"grace_ms", kill.grace_ms}};
}

Json write(const Ack& ack) {
  return {{"type", "ack"}, {"sequence", ack.sequence}};
}

Json write(const Shutdown& shutdown) {
  return {{"type", "shutdown"}, {"reason", shutdown.reason}, {"grace_ms", shutdown.grace_ms}};
}

Json write(const ReadLog& read) {
  Json json{{"type", "read_log"}, {"request", read.request}, {"trial_id", read.trial_id},
            {"name", read.name},  {"offset", read.offset},   {"wait_ms", read.wait_ms}};
  put_optional(json, "tail", read.tail);
  return json;
}

Json write(const Hello& hello) {
  return {{"type", "hello"},
          {"protocol", hello.protocol},
          {"version", hello.version},
          {"host", hello.host},
          {"pid", hello.pid},
          {"state_id", hello.state_id},
          {"last_sequence", hello.last_sequence},
          {"running", hello.running},
          {"root", hello.root},
          {"trial_program", hello.trial_program},
          {"reads_logs", hello.reads_logs}};
}

Json write(const GpuProcess& process) {
  return {{"pid", process.pid}, {"name", process.name}, {"user", process.user}, {"trial_id", process.trial_id}};
}

Json write(const Gpu& gpu) {
  Json processes = Json::array();
  for (const GpuProcess& process : gpu.processes) processes.push_back(write(process));
  return {{"index", gpu.index},
          {"uuid", gpu.uuid},
          {"name", gpu.name},
          {"memory_bytes", gpu.memory_bytes},
          {"memory_used_bytes", gpu.memory_used_bytes},
          {"utilization", gpu.utilization},
          {"processes", std::move(processes)}};
}

Json write(const HostReport& report) {
  Json gpus = Json::array();
  for (const Gpu& gpu : report.gpus) gpus.push_back(write(gpu));
  return {{"type", "host_report"},
          {"gpus", std::move(gpus)},
          {"gpu_error", report.gpu_error},
          {"cores", report.cores},
          {"load", report.load},
          {"memory_bytes", report.memory_bytes},
          {"memory_free_bytes", report.memory_free_bytes},
          {"disk_free_bytes", report.disk_free_bytes},
          {"time_ms", report.time_ms}};
}

Json write(const TrialNote& note) {
  return {{"type", "trial_note"}, {"trial_id", note.trial_id}, {"text", note.text}};
}

Json write(const LogText& text) {
  return {{"type", "log_text"},    {"request", text.request}, {"runs", text.runs},
          {"offset", text.offset}, {"size", text.size},       {"bytes", to_base64(text.bytes)}};
}

void write_event(Json& json, const TrialStarted& started) {
  json["type"] = "trial_started";
  json["trial_id"] = started.trial_id;
  json["pid"] = started.pid;
  json["time_ms"] = started.time_ms;
}

void write_event(Json& json, const TrialMetric& metric) {
  json["type"] = "trial_metric";
  json["trial_id"] = metric.trial_id;
  json["payload"] = metric.payload;
  json["time_ms"] = metric.time_ms;
}

void write_event(Json& json, const TrialExited& exited) {
  json["type"] = "trial_exited";
  json["trial_id"] = exited.trial_id;
  put_optional(json, "exit_code", exited.exit_code);
  put_optional(json, "signal", exited.signal);
  json["error"] = exited.error;
  json["lost"] = exited.lost;
  json["killed_by"] = exited.killed_by;
  json["stderr_tail"] = exited.stderr_tail;
  json["time_ms"] = exited.time_ms;
}

Json write(const SequencedEvent& sequenced) {
  Json json{{"sequence", sequenced.sequence}};
  std::visit([&json](const auto& event) { write_event(json, event); }, sequenced.event);
  return json;
}

template <class Message>
struct MessageType {
  std::string_view name;
  Result<Message> (*read)(FieldReader&);
};

constexpr std::array<MessageType<ToAgent>, 5> to_agent_types{{
    {"start_trial", read_start_trial},
    {"kill_trial", read_kill_trial},
    {"ack", read_ack},
    {"shutdown", read_shutdown},
    {"read_log", read_read_log},
}};

constexpr std::array<MessageType<FromAgent>, 7> from_agent_types{{
    {"hello", read_hello},
    {"host_report", read_host_report},
    {"trial_note", read_trial_note},
    {"log_text", read_log_text},
    {"trial_started", read_trial_started},
    {"trial_metric", read_trial_metric},
    {"trial_exited", read_trial_exited},
}};

/// Told before parsing: a tree that deep takes long to build and to take down, and no message of ours is deeper than a
/// few levels.
bool nests_too_deep(std::string_view text) {
  bool in_string = false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size() && depth <= max_nesting; ++i) {
    if (in_string && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      in_string = !in_string;
    else if (!in_string)
      depth += (text[i] == '[' || text[i] == '{') ? 1 : (text[i] == ']' || text[i] == '}') ? -1 : 0;
  }
  return depth > max_nesting;
}

template <class Message, std::size_t count>
Result<Message> decode(std::string_view text, const std::array<MessageType<Message>, count>& types) {
  if (nests_too_deep(text)) return fail("the frame is not a message: its JSON nests too deep");
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return fail("the frame is not valid JSON");
  if (!json.is_object())
    return fail("the frame is a JSON " + std::string(json.type_name()) + ", an object is expected");
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) return fail("is missing or not a string", "type");
  std::string known;
  for (const MessageType<Message>& candidate : types) {
    FieldReader fields(json);
    if (*type == candidate.name) return candidate.read(fields);
    known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  }
  return fail("\"" + type->template get<std::string>().substr(0, 64) + "\" is not one of " + known, "type");
}

}  // namespace

std::string frame_json(std::string_view json) {
  if (json.size() > max_frame_bytes) {
    throw std::length_error("a frame of " + std::to_string(json.size()) + " bytes is larger than the limit of " +
                            std::to_string(max_frame_bytes));
  }
  std::string frame;
  frame.reserve(prefix_bytes + json.size());
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>((json.size() >> shift) & 0xff);
  return frame.append(json);
}

std::string encode_json(const FromAgent& message) {
  return std::visit([](const auto& alternative) { return dump(write(alternative)); }, message);
}

std::string encode_frame(const ToAgent& message) {
  return frame_json(std::visit([](const auto& alternative) { return dump(write(alternative)); }, message));
}

std::string encode_frame(const FromAgent& message) {
  return frame_json(encode_json(message));
}

Result<ToAgent> decode_to_agent(std::string_view json) {
  return decode(json, to_agent_types);
}

Result<FromAgent> decode_from_agent(std::string_view json) {
  return decode(json, from_agent_types);
}

void FrameReader::feed(std::string_view bytes) {
  // Cutting off the front only when it is half of the buffer keeps many small frames linear.
  if (consumed_ > buffer_.size() / 2) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<std::string>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(consumed_);
  if (rest.size() < prefix_bytes) return std::optional<std::string>();
  std::size_t length = 0;
  for (std::size_t i = 0; i < prefix_bytes; ++i) length = (length << 8) | static_cast<unsigned char>(rest[i]);
  if (length > max_frame_bytes) {
    return fail("a frame claims a length of " + std::to_string(length) + " bytes, at most " +
                std::to_string(max_frame_bytes) + " are allowed");
  }
  if (rest.size() - prefix_bytes < length) return std::optional<std::string>();
  consumed_ += prefix_bytes + length;
  return std::optional<std::string>(rest.substr(prefix_bytes, length));
}

}  // namespace lathe::proto
