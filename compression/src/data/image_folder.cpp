#include <lathe/compression/image_folder.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "data/byte_file.hpp"
#include "data/image_resize.hpp"
#include "data/image_source.hpp"

namespace lathe::compression {
namespace {

namespace fs = std::filesystem;

struct Listing {
  std::vector<std::string> classes;
  std::vector<fs::path> files;
  std::vector<std::int64_t> targets;
};

bool is_image(const fs::path& file) {
  constexpr std::array<std::string_view, 3> extensions{".jpg", ".jpeg", ".png"};
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

/// What `folder` holds that `wanted` likes, in the bytewise order of the names; hidden entries are passed over.
template <class Predicate>
Result<std::vector<fs::path>> entries_of(const fs::path& folder, Predicate wanted) {
  std::error_code code;
  fs::directory_iterator entry(folder, code);
  std::vector<fs::path> paths;
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    std::error_code ignored;
    if (!entry->path().filename().string().starts_with('.') && wanted(*entry, ignored)) paths.push_back(entry->path());
  }
  if (code) return fail(fmt::format("{}: cannot be read: {}", folder.string(), code.message()));
  std::sort(paths.begin(), paths.end(),
            [](const fs::path& a, const fs::path& b) { return a.filename().string() < b.filename().string(); });
  return paths;
}

Result<Listing> list(const fs::path& root) {
  const auto folders = entries_of(
      root, [](const fs::directory_entry& entry, std::error_code& code) { return entry.is_directory(code); });
  if (!folders) return tl::unexpected(folders.error());
  Listing listing;
  for (const fs::path& folder : *folders) {
    auto images = entries_of(folder, [](const fs::directory_entry& entry, std::error_code& code) {
      return is_image(entry.path()) && entry.is_regular_file(code);
    });
    if (!images) return tl::unexpected(images.error());
    if (images->empty()) {
      return fail(fmt::format("{}: no image; expected files .jpg, .jpeg or .png of this class", folder.string()));
    }
    listing.targets.insert(listing.targets.end(), images->size(), static_cast<std::int64_t>(listing.classes.size()));
    listing.classes.push_back(folder.filename().string());
    std::move(images->begin(), images->end(), std::back_inserter(listing.files));
  }
  if (listing.classes.empty()) {
    return fail(fmt::format("{}: no folder in it; expected one folder of images per class", root.string()));
  }
  return listing;
}

/// The size that all images have after the resize; nullopt: a crop makes them equal.
Result<std::optional<ImageSize>> common_size(const std::vector<fs::path>& files, const ImageFolderOptions& options) {
  if (options.resize && options.resize->width) return ImageSize{options.resize->height, *options.resize->width};
  if (options.crop) return std::nullopt;
  std::optional<ImageSize> first;
  for (const fs::path& file : files) {
    auto size = read_image_size(file);
    if (!size) return tl::unexpected(size.error());
    if (options.resize) *size = resized_size(*size, *options.resize);
    if (!first) first = *size;
    if (size->height == first->height && size->width == first->width) continue;
    return fail(fmt::format("{} has {} x {} pixels and {} has {} x {}; expected equal sizes, or a crop", file.string(),
                            size->height, size->width, files.front().string(), first->height, first->width));
  }
  return first;
}

Result<void> check_options(const ImageFolderOptions& options) {
  if (options.channels != 1 && options.channels != 3) {
    return fail(fmt::format("images have 1 or 3 channels; expected one of these, found {}", options.channels));
  }
  const auto is_positive = [](std::int64_t size) { return size > 0 && size <= kMostPixels; };
  const bool resize_is_good =
      !options.resize || (is_positive(options.resize->height) && is_positive(options.resize->width.value_or(1)));
  const bool crop_is_good = !options.crop || (is_positive(options.crop->height) && is_positive(options.crop->width));
  if (!resize_is_good || !crop_is_good) return fail("images can be brought to sizes of at least one pixel only");
  return {};
}

}  // namespace

Result<Dataset> load_images(const fs::path& folder, const ImageFolderOptions& options, const Records& records,
                            const Normalization& normalization) {
  if (auto sound = check_options(options); !sound) return tl::unexpected(sound.error());
  auto listing = list(folder);
  if (!listing) return tl::unexpected(listing.error());
  const auto range = resolve_records(records, static_cast<std::int64_t>(listing->files.size()), folder);
  if (!range) return tl::unexpected(range.error());
  const std::vector<fs::path> files(listing->files.begin() + range->begin, listing->files.begin() + *range->end);
  const auto size = common_size(files, options);
  if (!size) return tl::unexpected(size.error());
  const at::Tensor targets =
      at::tensor(listing->targets, at::kLong).narrow(0, range->begin, *range->end - range->begin).clone();
  auto dataset = Dataset::create(std::make_shared<ImageSource>(files, options, *size), targets, normalization);
  if (dataset && options.crop) dataset = dataset->cropped(*options.crop);
  if (!dataset) return fail(fmt::format("{}: {}", folder.string(), dataset.error().message));
  dataset->set_class_names(std::move(listing->classes));
  return dataset;
}

}  // namespace lathe::compression
