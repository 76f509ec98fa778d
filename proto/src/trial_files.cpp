#include <lathe/proto/trial_files.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "python_json.hpp"

namespace lathe::proto {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view frame_magic = "ME";
constexpr std::size_t length_digits = 6;
constexpr std::size_t header_bytes = frame_magic.size() + length_digits;
constexpr std::size_t max_body_bytes = 999'999;  ///< JSON and newline: what six digits can say

Result<Json> parse_object(std::string_view text, const std::string& what) {
  Result<Json> json = parse_python_json(text);
  if (!json) return fail(what + ": " + json.error().message);
  if (!json->is_object())
    return fail(what + " is a JSON " + std::string(json->type_name()) + ", an object is expected");
  return json;
}

Result<std::int64_t> read_integer(const Json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end()) return fail("is missing", name);
  if (field->is_number_unsigned() && field->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return fail(field->dump() + " is too large", name);
  }
  if (!field->is_number_integer()) {
    return fail("a value of type " + std::string(field->type_name()) + " was found where an integer is expected", name);
  }
  return field->get<std::int64_t>();
}

Result<std::string> read_text(const Json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end()) return fail("is missing", name);
  if (field->is_string()) return field->get<std::string>();
  return fail("a value of type " + std::string(field->type_name()) + " was found where a string is expected", name);
}

// ---- the metric types -----------------------------------------------------------------------------------------------

constexpr std::array<std::pair<MetricType, std::string_view>, 3> metric_types{{
    {MetricType::Periodical, "PERIODICAL"},
    {MetricType::Final, "FINAL"},
    {MetricType::RequestParameter, "REQUEST_PARAMETER"},
}};

std::string_view name_of(MetricType type) {
  return metric_types[static_cast<std::size_t>(type)].second;
}

Result<MetricType> read_metric_type(const Json& object) {
  const Result<std::string> name = read_text(object, "type");
  if (!name) return tl::unexpected<Error>(name.error());
  for (const auto& [type, known] : metric_types) {
    if (*name == known) return type;
  }
  return fail("\"" + name->substr(0, 64) + "\" is not one of PERIODICAL, FINAL, REQUEST_PARAMETER", "type");
}

Result<Json> read_value(const Json& object) {
  const auto field = object.find("value");
  if (field == object.end()) return fail("is missing", "value");
  if (!field->is_string()) return *field;
  Result<Json> value = parse_python_json(field->get_ref<const std::string&>());
  if (!value) return fail(value.error().message, "value");
  return value;
}

/// Copies a result's value, or leaves its error; false: there was an error.
template <class T>
bool take(Result<T> result, T& target, std::optional<Error>& error) {
  if (result) {
    target = std::move(*result);
    return true;
  }
  if (!error) error = std::move(result.error());
  return false;
}

// ---- finding frames -------------------------------------------------------------------------------------------------

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// True when `bytes` begins like the header of a frame, as far as it goes.
bool may_be_header(std::string_view bytes) {
  const std::string_view header = bytes.substr(0, header_bytes);
  if (!frame_magic.starts_with(header.substr(0, frame_magic.size()))) return false;
  for (std::size_t i = frame_magic.size(); i < header.size(); ++i) {
    if (!is_digit(header[i])) return false;
  }
  return true;
}

std::size_t body_length(std::string_view header) {
  std::size_t length = 0;
  for (const char digit : header.substr(frame_magic.size(), length_digits))
    length = length * 10 + static_cast<std::size_t>(digit - '0');
  return length;
}

/// First place at or behind `from` where a whole header follows a newline; npos: none.
std::size_t find_header_line(std::string_view bytes, std::size_t from) {
  for (std::size_t at = bytes.find("\nME", from); at != std::string_view::npos; at = bytes.find("\nME", at + 1)) {
    const std::string_view header = bytes.substr(at + 1);
    if (header.size() >= header_bytes && may_be_header(header)) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string to_text(const ParameterRecord& record) {
  const Json json{{"parameter_id", record.parameter_id},
                  {"parameter_source", record.parameter_source},
                  {"parameters", record.parameters}};
  return python_json(json);
}

Result<ParameterRecord> parse_parameter_record(std::string_view text) {
  const Result<Json> json = parse_object(text, "the parameter record");
  if (!json) return tl::unexpected<Error>(json.error());
  ParameterRecord record;
  std::optional<Error> error;
  take(read_integer(*json, "parameter_id"), record.parameter_id, error);
  if (json->contains("parameter_source")) take(read_text(*json, "parameter_source"), record.parameter_source, error);
  if (error) return tl::unexpected<Error>(std::move(*error));
  const auto parameters = json->find("parameters");
  if (parameters == json->end()) return fail("is missing", "parameters");
  if (!parameters->is_object()) {
    return fail("a value of type " + std::string(parameters->type_name()) + " was found where an object is expected",
                "parameters");
  }
  record.parameters = *parameters;
  return record;
}

std::optional<double> MetricReport::scalar() const {
  const Json* number = &value;
  if (value.is_object()) {
    const auto found = value.find("default");
    if (found == value.end()) return std::nullopt;
    number = &*found;
  }
  if (!number->is_number()) return std::nullopt;
  const double finite = number->get<double>();
  return std::isfinite(finite) ? std::optional<double>(finite) : std::nullopt;
}

Result<MetricReport> parse_metric(std::string_view json) {
  const Result<Json> object = parse_object(json, "the metric");
  if (!object) return tl::unexpected<Error>(object.error());
  MetricReport report;
  std::optional<Error> error;
  take(read_metric_type(*object), report.type, error);
  take(read_text(*object, "trial_job_id"), report.trial_job_id, error);
  // A request for parameters comes before there are any: no id, no value.
  if (report.type != MetricType::RequestParameter || object->contains("sequence")) {
    take(read_integer(*object, "sequence"), report.sequence, error);
  }
  if (report.type != MetricType::RequestParameter) {
    take(read_integer(*object, "parameter_id"), report.parameter_id, error);
    take(read_value(*object), report.value, error);
  }
  if (error) return tl::unexpected<Error>(std::move(*error));
  return report;
}

Result<std::string> encode_metric_frame(const MetricReport& report) {
  Json json{{"parameter_id", report.parameter_id},
            {"trial_job_id", report.trial_job_id},
            {"type", name_of(report.type)},
            {"sequence", report.sequence},
            {"value", python_json(report.value)}};
  const std::string body = python_json(json) + "\n";
  if (body.size() > max_body_bytes) {
    return fail("the metric takes " + std::to_string(body.size()) + " bytes, less than 1000000 are allowed", "value");
  }
  const std::string length = std::to_string(body.size());
  return std::string(frame_magic) + std::string(length_digits - length.size(), '0') + length + body;
}

void MetricFrameReader::feed(std::string_view bytes) {
  if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    dropped_ += begin_;
    searched_ -= std::min(searched_, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string> MetricFrameReader::next() {
  while (begin_ < buffer_.size()) {
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    const bool header_is_whole = rest.size() >= header_bytes;
    const std::size_t length = header_is_whole && may_be_header(rest) ? body_length(rest) : 0;
    if (!may_be_header(rest) || (header_is_whole && length == 0)) {
      skip_damage(begin_ + 1);
      continue;
    }
    if (header_is_whole && rest.size() - header_bytes >= length) {
      if (rest[header_bytes + length - 1] != '\n') {
        skip_damage(begin_ + frame_magic.size());
        continue;
      }
      begin_ += header_bytes + length;
      searched_ = begin_;
      return std::string(rest.substr(header_bytes, length - 1));
    }
    // Incomplete. A header at the start of a later line, or the end of all bytes, tells that it will stay so.
    const std::size_t line = find_header_line(buffer_, std::max(begin_, searched_));
    if (line == std::string::npos && !finished_) {
      searched_ = std::max(begin_, buffer_.size() - std::min(buffer_.size(), header_bytes));
      return std::nullopt;
    }
    skip_damage(begin_ + frame_magic.size());
  }
  return std::nullopt;
}

/// Goes on at the next place at or behind `from` that may begin a frame.
void MetricFrameReader::skip_damage(std::size_t from) {
  ++damaged_;
  const std::string_view bytes = buffer_;
  std::size_t at = bytes.find('M', from);
  while (at != std::string_view::npos && !may_be_header(bytes.substr(at))) at = bytes.find('M', at + 1);
  begin_ = std::min(at, bytes.size());
  searched_ = begin_;
}

}  // namespace lathe::proto
