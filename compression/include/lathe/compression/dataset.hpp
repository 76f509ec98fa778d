// Data sets in memory: IDX (MNIST), CIFAR binary batches, tensor files; batches and seeded shuffles of them.
//
// Every file is hostile until read: a header that does not fit its file, a cut file, a label out of range are errors
// that name the file, what was expected and what was found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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
  at::Tensor targets;  ///< int64 [B] or [B, …]
};

class Dataset {
 public:
  /// `inputs` [N, …] are bytes (scaled to [0, 1] when read) or float32, `targets` [N, …] are int64 class indices.
  /// Errors: no record, a different number of inputs and targets, a normalisation that does not fit the channels.
  [[nodiscard]] static Result<Dataset> create(at::Tensor inputs, at::Tensor targets,
                                              const Normalization& normalization);

  [[nodiscard]] std::int64_t size() const { return inputs_.size(0); }
  /// Shape of one record, without the batch dimension.
  [[nodiscard]] Shape record_shape() const;
  [[nodiscard]] std::int64_t largest_target() const;

  /// Records [begin, end), 0 <= begin < end <= size().
  [[nodiscard]] Batch slice(std::int64_t begin, std::int64_t end) const;
  /// The records with these indices (int64).
  [[nodiscard]] Batch pick(const at::Tensor& indices) const;

 private:
  Dataset(at::Tensor inputs, at::Tensor targets) : inputs_(std::move(inputs)), targets_(std::move(targets)) {}
  [[nodiscard]] at::Tensor decode(const at::Tensor& inputs) const;

  at::Tensor inputs_;
  at::Tensor targets_;
  at::Tensor scale_;  ///< undefined when inputs need no scaling; else inputs * scale + shift
  at::Tensor shift_;
};

/// Images (unsigned bytes, [N, H, W] or [N, C, H, W]) and labels ([N]); plain or gzip. Images become [N, C, H, W].
[[nodiscard]] Result<Dataset> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                                       const Records& records, const Normalization& normalization);

enum class CifarKind { Cifar10, Cifar100 };  ///< CIFAR-100's labels are the fine ones

/// One or more binary batches, one after the other, [N, 3, 32, 32].
[[nodiscard]] Result<Dataset> load_cifar(const std::vector<std::filesystem::path>& batches, CifarKind kind,
                                         const Records& records, const Normalization& normalization);

/// What torch.save (Python) or torch::pickle_save (C++) wrote: a tuple or list (inputs, targets), or a dict with keys
/// inputs and targets. Inputs are bytes or floating-point numbers, targets integers.
[[nodiscard]] Result<Dataset> load_tensors(const std::filesystem::path& file, const Records& records,
                                           const Normalization& normalization);

/// 0 … n-1 in an order that depends on the seed alone (int64 [n]).
[[nodiscard]] at::Tensor shuffled_indices(std::int64_t n, std::uint64_t seed);

}  // namespace lathe::compression
