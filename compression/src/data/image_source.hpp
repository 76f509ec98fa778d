// Records that are decoded from image files when they are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <vector>

#include <lathe/compression/image_folder.hpp>

#include "data/image_decoder.hpp"
#include "data/record_source.hpp"

namespace lathe::compression {

class ImageSource final : public RecordSource {
 public:
  /// `size` is that of all images after the resize; none: they may differ.
  ImageSource(std::vector<std::filesystem::path> files, const ImageFolderOptions& options,
              std::optional<ImageSize> size);

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  [[nodiscard]] at::ScalarType type() const override { return at::kByte; }
  [[nodiscard]] Shape shape() const override;
  [[nodiscard]] bool takes_work() const override { return true; }
  [[nodiscard]] Result<RecordView> record(std::int64_t index, std::vector<std::uint8_t>& scratch) const override;
  [[nodiscard]] std::string name_of(std::int64_t index) const override;

 private:
  /// Pixels plane by plane.
  [[nodiscard]] Result<Image> load(const std::filesystem::path& file) const;

  std::vector<std::filesystem::path> files_;
  ImageFolderOptions options_;
  std::optional<ImageSize> size_;

  mutable std::mutex mutex_;         ///< of the two below
  mutable std::vector<Image> held_;  ///< by index; without pixels: not decoded, or no longer affordable
  mutable std::size_t held_bytes_ = 0;
};

/// Reads the size of the image in `file`; errors name it.
[[nodiscard]] Result<ImageSize> read_image_size(const std::filesystem::path& file);

}  // namespace lathe::compression
