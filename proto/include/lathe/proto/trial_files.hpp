// The files between a trial and whoever runs it: exactly NNI's trial protocol, so that unmodified NNI scripts work.
//
//   $NNI_SYS_DIR/parameter.cfg    the parameter record, JSON
//   $NNI_SYS_DIR/.nni/metrics     frames "ME" + six ASCII digits (byte length) + JSON + "\n"; the length counts the
//   newline
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// Content of parameter.cfg.
struct ParameterRecord {
  std::int64_t parameter_id = 0;
  std::string parameter_source = "algorithm";  ///< algorithm, customized or resumed
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
};

[[nodiscard]] std::string to_text(const ParameterRecord& record);
[[nodiscard]] Result<ParameterRecord> parse_parameter_record(std::string_view text);

enum class MetricType { Periodical, Final, RequestParameter };

/// One report of a trial. `value` is JSON in itself: a number, or an object whose `default` is the number.
/// NaN and infinities, which Python writes bare, arrive as the strings "NaN", "Infinity", "-Infinity".
struct MetricReport {
  std::int64_t parameter_id = 0;
  std::string trial_job_id;
  MetricType type = MetricType::Periodical;
  std::int64_t sequence = 0;
  nlohmann::ordered_json value;

  /// The number that tuners see: `value`, or its `default`; nullopt when there is none or it is not finite.
  [[nodiscard]] std::optional<double> scalar() const;
};

/// The JSON inside one ME frame → report. Tolerates what Python's json writes (NaN, Infinity) and value as text or as
/// JSON.
[[nodiscard]] Result<MetricReport> parse_metric(std::string_view json);

/// A whole ME frame, newline included, byte for byte what NNI writes. The JSON must stay below 1,000,000 bytes.
[[nodiscard]] Result<std::string> encode_metric_frame(const MetricReport& report);

/// Cuts the growing content of .nni/metrics into frames; a damaged one is skipped up to the next "ME" and counted.
class MetricFrameReader {
 public:
  void feed(std::string_view bytes);
  /// The JSON text of the next complete frame, or nullopt when more bytes are needed.
  [[nodiscard]] std::optional<std::string> next();
  /// No more bytes will come: an incomplete frame counts as damaged, and `next` finds the complete ones behind it.
  void finish() { finished_ = true; }
  [[nodiscard]] std::int64_t damaged() const { return damaged_; }
  /// Bytes of the stream up to the end of the last frame that `next` returned, damaged ones before it included. A new
  /// reader that is fed from here on finds the frames that this one has not returned.
  [[nodiscard]] std::uint64_t position() const { return dropped_ + begin_; }

 private:
  void skip_damage(std::size_t from);

  std::string buffer_;
  std::uint64_t dropped_ = 0;  ///< bytes cut off the front of buffer_
  std::size_t begin_ = 0;      ///< where the next frame begins in buffer_
  std::size_t searched_ = 0;   ///< up to here an incomplete frame was searched for the start of the next one
  std::int64_t damaged_ = 0;
  bool finished_ = false;
};

}  // namespace lathe::proto
