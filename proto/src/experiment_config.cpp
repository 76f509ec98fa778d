#include <lathe/proto/experiment_config.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "compression_section.hpp"
#include "document.hpp"
#include "known_keys.hpp"
#include "nni_only_keys.hpp"
#include "path_resolver.hpp"
#include "reader.hpp"
#include "search_space_reader.hpp"
#include "training_service_section.hpp"
#include "tuner_section.hpp"
#include "v1_conversion.hpp"

namespace lathe::proto {
namespace {

namespace fs = std::filesystem;

constexpr IntegerRange positive_integer{.low = 1};
constexpr IntegerRange retries{.low = 0, .high = 1000};

/// Our own JSON is wordier than what it was made from, and puts a search space from a file one level deeper.
constexpr DocumentLimits canonical_limits{.bytes = std::size_t{64} << 20, .nodes = 2'000'000, .depth = 80};

/// At most one byte more than a document may have: enough to see that it is too large.
Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(DocumentLimits{}.bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && file.fail()) return fail("cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// Reads one config; a member function per part, each of which notes what is wrong and goes on.
class ExperimentReader {
 public:
  ExperimentReader(const Value& root, PathResolver paths, Problems& problems)
      : fields_(root, keys::experiment, problems), paths_(std::move(paths)), problems_(problems) {}

  [[nodiscard]] ExperimentConfig read() {
    if (!fields_.is_object()) return {};
    fields_.text("experimentName", config_.experiment_name);
    fields_.integer("trialConcurrency", config_.trial_concurrency, {1, 99'999});
    fields_.integer("maxTrialNumber", config_.max_trial_number, positive_integer);
    read_duration("maxExperimentDuration", config_.max_experiment_duration);
    read_duration("maxTrialDuration", config_.max_trial_duration);
    read_search_space_or_file();
    read_task();
    read_code_directory();
    read_tuner_section();
    fields_.integer("trialGpuNumber", config_.trial_gpu_number, {0, 1'000});
    read_retries();
    if (const auto service = fields_.find("trainingService"))
      config_.training_services = read_training_services(*service, paths_, problems_);
    check_nni_only_keys(fields_, problems_);
    return std::move(config_);
  }

 private:
  void add_missing(std::string_view key, std::string message) {
    problems_.add_missing(fields_.object(), fields_.object().path().member(key), std::move(message));
  }

  void read_duration(std::string_view key, std::optional<std::chrono::seconds>& target) {
    const auto value = fields_.find(key);
    if (!value) return;
    if (auto duration = parse_duration(value->json())) {
      target = *duration;
    } else {
      problems_.add(*value, std::move(duration.error().message));
    }
  }

  void read_retries() {
    const auto value = fields_.find("maxRetries");
    if (!value) return;
    if (value->json().is_object()) {
      Fields each(*value, keys::retries, problems_);
      each.integer("lost", config_.max_retries.lost, retries);
      each.integer("failed", config_.max_retries.failed, retries);
    } else if (const auto number = read_integer(*value, retries, problems_)) {
      config_.max_retries = {*number, *number};
    }
  }

  void read_search_space_or_file() {
    const auto inside = fields_.find("searchSpace");
    const auto file = fields_.find("searchSpaceFile");
    if (inside && file) {
      problems_.add(*file, "searchSpaceFile and searchSpace exclude each other; expected one of them");
    } else if (inside) {
      config_.search_space = read_search_space(*inside, problems_);
    } else if (file) {
      read_space_file(*file);
    } else {
      add_missing("searchSpace", "required: searchSpace, or searchSpaceFile with the path of a file");
    }
  }

  void read_space_file(const Value& value) {
    const auto path = paths_.resolve(value, PathKind::File, problems_);
    if (!path) return;
    Problems in_file(path->string());
    if (auto errors = read_space_document(*path, in_file); !errors.empty()) problems_.append(std::move(errors));
  }

  Errors read_space_document(const fs::path& path, Problems& in_file) {
    const auto text = read_file(path);
    if (!text) return {Error{text.error().message, {}, path.string(), 0}};
    auto document = parse_document(*text);
    if (!document) {
      document.error().file = path.string();
      return {std::move(document.error())};
    }
    const Value root(document->root, &document->origin, Path("searchSpace"));
    config_.search_space = read_search_space(root, in_file);
    return in_file.take_errors();
  }

  void read_task() {
    const auto command = fields_.find("trialCommand");
    const auto compression = fields_.find("compression");
    fields_.text("trialCommand", config_.trial_command);
    if (compression) config_.compression = read_compression(*compression, paths_, problems_);
    if (command && compression) {
      problems_.add(*compression, "compression and trialCommand exclude each other; expected one of them");
    } else if (!command && !compression) {
      add_missing("trialCommand", "required: trialCommand with a shell command, or compression for the built-in trial");
    }
  }

  /// Absent, it is the folder of the config; the built-in trial does without one.
  void read_code_directory() {
    if (const auto value = fields_.find("trialCodeDirectory")) {
      config_.trial_code_directory = paths_.resolve(*value, PathKind::Directory, problems_).value_or(fs::path());
      return;
    }
    if (!paths_.search_path().empty()) {
      const fs::path folder = paths_.search_path().front();
      const auto reason = unusable_reason(folder, PathKind::Directory);
      if (reason) add_missing("trialCodeDirectory", fmt::format("its default {} {}", folder.string(), *reason));
      config_.trial_code_directory = normal_path(folder);
    } else if (config_.trial_command) {
      add_missing("trialCodeDirectory", "required: an absolute path, since the folder of the config is not known");
    }
  }

  void read_tuner_section() {
    const auto objective = config_.compression ? std::optional(config_.compression->objective.metric) : std::nullopt;
    // An advisor takes the tuner's place; that it is not supported is said elsewhere.
    if (fields_.find("advisor") && !fields_.find("tuner")) return;
    const auto tuner = fields_.require("tuner", "an object with name, one of " + listed(names_of(names::tuners)));
    if (tuner) config_.tuner = read_tuner(*tuner, objective, problems_);
  }

  Fields fields_;
  PathResolver paths_;
  Problems& problems_;
  ExperimentConfig config_;
};

Checked<ExperimentConfig> read_experiment(const Document& document, const ConfigOrigin& origin) {
  Problems problems(origin.file);
  PathResolver paths = origin.canonical ? PathResolver::verbatim() : PathResolver(origin.search_path);
  const Value root(document);
  Document converted;
  const bool is_v1 = is_v1_config(root);
  if (is_v1) converted = convert_v1(root, problems);
  ExperimentConfig config = ExperimentReader(is_v1 ? Value(converted) : root, std::move(paths), problems).read();
  if (!problems.empty()) return tl::unexpected(problems.take_errors());
  config.warnings = problems.take_warnings();
  return config;
}

}  // namespace

Checked<ExperimentConfig> parse_experiment_config(std::string_view text, const ConfigOrigin& origin) {
  auto document = parse_document(text, origin.canonical ? canonical_limits : DocumentLimits{});
  if (document) return read_experiment(*document, origin);
  document.error().file = origin.file;
  return tl::unexpected(Errors{std::move(document.error())});
}

}  // namespace lathe::proto
