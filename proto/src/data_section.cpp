#include "data_section.hpp"

#include <limits>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "image_section.hpp"
#include "known_keys.hpp"
#include "reader.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Reads the parts of one data set.
class PartReader {
 public:
  PartReader(DataFormat format, const PathResolver& paths, Problems& problems)
      : format_(format), paths_(paths), problems_(problems) {}

  [[nodiscard]] DataPart read(const Value& value) {
    Fields fields(value, keys(), problems_);
    DataPart part;
    if (!fields.is_object()) return part;
    part.source = source(fields);
    if (const auto range = fields.find("range")) part.range = read_range(*range);
    return part;
  }

 private:
  using Source = decltype(DataPart::source);

  [[nodiscard]] std::span<const std::string_view> keys() const {
    switch (format_) {
      case DataFormat::Idx:
        return keys::idx_part;
      case DataFormat::Cifar10:
      case DataFormat::Cifar100:
        return keys::cifar_part;
      case DataFormat::Tensor:
        return keys::tensor_part;
      case DataFormat::Npy:
        return keys::npy_part;
      case DataFormat::Images:
        return keys::image_part;
    }
    return {};
  }

  [[nodiscard]] Source source(Fields& fields) {
    switch (format_) {
      case DataFormat::Idx: {
        fs::path images = file(fields.require("images", "the IDX file of the images"));
        return IdxFiles{std::move(images), file(fields.require("labels", "the IDX file of the labels"))};
      }
      case DataFormat::Cifar10:
      case DataFormat::Cifar100:
        return CifarFiles{batches(fields)};
      case DataFormat::Tensor:
        return TensorFile{file(fields.require("file", "the .pt file of the tensors"))};
      case DataFormat::Npy: {
        fs::path inputs = file(fields.require("inputs", "the .npy file of the inputs"));
        return NpyFiles{std::move(inputs), file(fields.require("targets", "the .npy file of the targets"))};
      }
      case DataFormat::Images:
        return ImageFolder{
            path(fields.require("folder", "a folder with one folder of images per class"), PathKind::Directory)};
    }
    return IdxFiles{};
  }

  [[nodiscard]] fs::path path(const std::optional<Value>& value, PathKind kind) {
    if (!value) return {};
    return paths_.resolve(*value, kind, problems_).value_or(fs::path());
  }

  [[nodiscard]] fs::path file(const std::optional<Value>& value) { return path(value, PathKind::File); }

  [[nodiscard]] std::vector<fs::path> batches(Fields& fields) {
    const auto single = fields.find("file");
    const auto list = single ? fields.find("files") : fields.require("files", "the binary batches, a list of files");
    if (single && list)
      problems_.add(*single, fmt::format("excludes files (line {}); expected one of the two", list->line()));
    if (single) return {file(single)};
    if (!list) return {};
    if (!list->json().is_array() || list->json().empty()) {
      problems_.add_mismatch(*list, "a list of at least one file");
      return {};
    }
    std::vector<fs::path> paths;
    for (const Value& item : list->items()) paths.push_back(file(item));
    return paths;
  }

  [[nodiscard]] RecordRange read_range(const Value& value) {
    const std::vector<Value> ends = value.items();
    if (ends.size() != 2) {
      problems_.add_mismatch(value, "[begin, end] with end excluded, or [begin, null] up to the last record");
      return {};
    }
    RecordRange range;
    const auto begin = read_integer(ends[0], {0, std::numeric_limits<std::int64_t>::max()}, problems_);
    if (!begin) return range;
    range.begin = *begin;
    if (ends[1].json().is_null()) return range;
    range.end = read_integer(ends[1], {}, problems_);
    if (range.end && *range.end <= range.begin) {
      problems_.add(value, fmt::format("expected begin < end, found begin {} and end {}", range.begin, *range.end));
    }
    return range;
  }

  DataFormat format_;
  const PathResolver& paths_;
  Problems& problems_;
};

std::vector<double> read_channels(const std::optional<Value>& value, NumberRange range, Problems& problems) {
  std::vector<double> channels;
  if (!value) return channels;
  if (!value->json().is_array() || value->json().empty()) {
    problems.add_mismatch(*value, "a list of one number per channel");
    return channels;
  }
  for (const Value& item : value->items()) channels.push_back(read_number(item, range, problems).value_or(1));
  return channels;
}

void read_normalization(const Value& value, DataConfig& data, Problems& problems) {
  Fields fields(value, keys::normalize, problems);
  data.mean = read_channels(fields.require("mean", "a list of one number per channel"), {}, problems);
  data.std = read_channels(fields.require("std", "a list of one number > 0 per channel"), positive_number, problems);
  if (data.mean.empty() || data.std.empty()) return;
  if (data.mean.size() != data.std.size()) {
    problems.add(value,
                 fmt::format("mean and std need the same length, found {} and {}", data.mean.size(), data.std.size()));
  } else if ((data.format == DataFormat::Cifar10 || data.format == DataFormat::Cifar100) && data.mean.size() != 3) {
    problems.add(value, fmt::format("CIFAR images have 3 channels; expected 3 numbers, found {}", data.mean.size()));
  }
}

struct SourceToJson {
  ordered_json operator()(const IdxFiles& files) const {
    return {{"images", files.images.string()}, {"labels", files.labels.string()}};
  }
  ordered_json operator()(const CifarFiles& files) const {
    ordered_json list = ordered_json::array();
    for (const fs::path& batch : files.batches) list.push_back(batch.string());
    return {{"files", std::move(list)}};
  }
  ordered_json operator()(const TensorFile& file) const { return {{"file", file.file.string()}}; }
  ordered_json operator()(const NpyFiles& files) const {
    return {{"inputs", files.inputs.string()}, {"targets", files.targets.string()}};
  }
  ordered_json operator()(const ImageFolder& images) const { return {{"folder", images.folder.string()}}; }
};

ordered_json part_json(const DataPart& part) {
  ordered_json json = std::visit(SourceToJson{}, part.source);
  json["range"] =
      ordered_json::array({part.range.begin, part.range.end ? ordered_json(*part.range.end) : ordered_json(nullptr)});
  return json;
}

}  // namespace

DataConfig read_data(const Value& value, const PathResolver& paths, Problems& problems) {
  DataConfig data;
  Fields fields(value, keys::data, problems);
  if (!fields.is_object()) return data;
  const auto train = fields.require("train", "the files to fine-tune on");
  const auto test = fields.require("test", "the files to evaluate on");
  const auto format = fields.require("format", "one of " + listed(names_of(names::data_formats)));
  const auto index = format ? read_name(*format, names_of(names::data_formats), problems) : std::nullopt;
  if (!index) return data;
  data.format = names::data_formats[*index].value;
  PartReader parts(data.format, paths, problems);
  if (train) data.train = parts.read(*train);
  if (test) data.test = parts.read(*test);
  if (const auto normalization = fields.find("normalize")) read_normalization(*normalization, data, problems);
  read_image_keys(fields, data, problems);
  return data;
}

nlohmann::ordered_json data_json(const DataConfig& data) {
  ordered_json json{{"format", name_of(names::data_formats, data.format)},
                    {"train", part_json(data.train)},
                    {"test", part_json(data.test)}};
  if (!data.mean.empty()) json["normalize"] = {{"mean", data.mean}, {"std", data.std}};
  write_image_keys(data, json);
  return json;
}

}  // namespace lathe::proto
