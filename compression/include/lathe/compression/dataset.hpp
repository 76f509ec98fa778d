// Data sets: records with targets, read in batches; IDX (MNIST), CIFAR binary batches, tensor files. NumPy files and
// folders of images have headers of their own (npy.hpp, image_folder.hpp).
//
// Every file is hostile until read: a header that does not fit its file, a cut file, a label out of range are errors
// that name the file, what was expected and what was found. A file that other programs cut while it is in use ends the
// process, since large files are mapped, not copied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// (x - mean) / std per channel (dimension 1 of a batch), after 8-bit pixels were scaled to [0, 1]. Empty: neither.
struct Normalization {
  std::vector<double> mean;
  std::vector<double> std;  ///< > 0, as long as `mean`
};

/// Half-open range of records.
struct Records {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;  ///< none: to the last
};

struct Batch {
  at::Tensor inputs;   ///< float32 [B, …], scaled and normalised
  at::Tensor targets;  ///< [B] or [B, …]: int64 class indices, or float32 numbers
};

/// Height and width in pixels, both > 0.
struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Random changes of images [C, H, W] while training. What a record gets depends on seed, epoch and its index alone.
struct Augmentation {
  bool random_crop = false;      ///< a part of the crop's size at a random place, in place of the centre
  std::int64_t padding = 0;      ///< zero pixels (before normalisation) on each side before a random crop
  bool horizontal_flip = false;  ///< mirrored with probability 1/2
};

/// Which draw of the random changes a reader wants.
struct AugmentationDraw {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
};

class RecordSource;

/// A handle: copies share the records. Safe to read from several threads at once; it starts none itself.
class Dataset {
 public:
  /// `inputs` [N, …] are bytes (scaled to [0, 1] when read) or other real numbers, `targets` [N, …] class indices
  /// (integers) or numbers (floating-point). The tensors are kept, not copied, and must not be changed afterwards.
  /// Errors: no record, a different number of inputs and targets, a negative class, targets that are not finite, a
  /// normalisation that does not fit the channels.
  [[nodiscard]] static Result<Dataset> create(at::Tensor inputs, at::Tensor targets,
                                              const Normalization& normalization);
  /// Likewise, of inputs that are made when they are read.
  [[nodiscard]] static Result<Dataset> create(std::shared_ptr<const RecordSource> inputs, at::Tensor targets,
                                              const Normalization& normalization);

  /// The same records cut to the centre. Errors: records are no images [C, H, W], or smaller than `size`.
  [[nodiscard]] Result<Dataset> cropped(const ImageSize& size) const;
  /// The same records with random changes for those who read with a draw. Errors: records are no images; a random crop
  /// without padding from images that have its size already is no error, and no change.
  [[nodiscard]] Result<Dataset> augmented(const Augmentation& augmentation) const;

  [[nodiscard]] std::int64_t size() const;
  /// Shape of one record as it is read, without the batch dimension.
  [[nodiscard]] Shape record_shape() const;
  /// Whether targets are class indices rather than numbers.
  [[nodiscard]] bool has_classes() const;
  /// Of class indices; 0 when targets are numbers.
  [[nodiscard]] std::int64_t largest_target() const;
  /// By class index; empty where the files have no names.
  [[nodiscard]] const std::vector<std::string>& class_names() const { return class_names_; }
  void set_class_names(std::vector<std::string> names) { class_names_ = std::move(names); }
  /// Whether reading takes decoding or random changes, so that it pays to prepare batches ahead.
  [[nodiscard]] bool takes_work() const;

  /// The records with these indices, 0 <= index < size(), in this order; with a `draw`, randomly changed by it.
  /// Errors: a file that cannot be read or decoded, an image whose size does not fit.
  [[nodiscard]] Result<Batch> read(c10::ArrayRef<std::int64_t> indices,
                                   const std::optional<AugmentationDraw>& draw) const;

  /// Records [begin, end), 0 <= begin < end <= size(), without random changes. Throws std::runtime_error with the
  /// message of read(), which only data that are decoded from files can cause.
  [[nodiscard]] Batch slice(std::int64_t begin, std::int64_t end) const;
  /// The records with these indices (int64), likewise.
  [[nodiscard]] Batch pick(const at::Tensor& indices) const;

 private:
  Dataset() = default;
  void set_scale(const Normalization& normalization);

  std::shared_ptr<const RecordSource> inputs_;
  at::Tensor targets_;        ///< on the CPU, contiguous
  std::vector<float> scale_;  ///< a value is read as value * scale + shift; one for each channel, or one
  std::vector<float> shift_;
  std::optional<ImageSize> crop_;
  Augmentation augmentation_;
  std::vector<std::string> class_names_;
};

/// Images (unsigned bytes, [N, H, W] or [N, C, H, W]) and labels ([N]); plain or gzip. Images become [N, C, H, W].
[[nodiscard]] Result<Dataset> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                                       const Records& records, const Normalization& normalization);

enum class CifarKind { Cifar10, Cifar100 };  ///< CIFAR-100's labels are the fine ones

/// One or more binary batches, one after the other, [N, 3, 32, 32].
[[nodiscard]] Result<Dataset> load_cifar(const std::vector<std::filesystem::path>& batches, CifarKind kind,
                                         const Records& records, const Normalization& normalization);

/// What torch.save (Python) or torch::pickle_save (C++) wrote: a tuple or list (inputs, targets), or a dict with keys
/// inputs and targets. Inputs are bytes or floating-point numbers; integer targets are class indices, floating-point
/// ones numbers. Integer targets [N, 1] become [N].
[[nodiscard]] Result<Dataset> load_tensors(const std::filesystem::path& file, const Records& records,
                                           const Normalization& normalization);

/// 0 … n-1 in an order that depends on the seed alone (int64 [n]).
[[nodiscard]] at::Tensor shuffled_indices(std::int64_t n, std::uint64_t seed);

}  // namespace lathe::compression
