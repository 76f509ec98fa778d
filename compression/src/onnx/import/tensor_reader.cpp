#include "onnx/import/tensor_reader.hpp"

#include <charconv>
#include <cstring>
#include <fstream>
#include <system_error>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "onnx/element_type.hpp"
#include "onnx/import/graph.hpp"

namespace lathe::compression::onnx_in {
namespace {

namespace fs = std::filesystem;

/// One tensor while it is read.
class Reader {
 public:
  Reader(const onnx::TensorProto& proto, const fs::path& folder, std::int64_t most_bytes)
      : proto_(proto), folder_(folder), most_bytes_(most_bytes) {}

  at::Tensor read() {
    const auto type = torch_element_type(proto_.data_type());
    if (!type) bad(fmt::format("its element type {} is not supported", proto_.data_type()));
    if (proto_.has_segment()) bad("it is split into segments, which is not supported");
    type_ = *type;
    const std::int64_t bytes = checked_bytes();
    if (proto_.data_location() == onnx::TensorProto::EXTERNAL) return from_file(bytes);
    if (proto_.has_raw_data()) return from_raw(bytes);
    return from_fields();
  }

 private:
  [[noreturn]] void bad(const std::string& what) const {
    throw Malformed(fmt::format("tensor `{}`: {}", proto_.name(), what));
  }

  /// The product of the sizes times that of an element, before any memory is asked for.
  std::int64_t checked_bytes() {
    std::int64_t bytes = static_cast<std::int64_t>(c10::elementSize(type_));
    for (const std::int64_t size : proto_.dims()) {
      if (size < 0) bad(fmt::format("size {} is negative", size));
      if (__builtin_mul_overflow(bytes, size, &bytes) || bytes > most_bytes_) {
        bad(fmt::format("its sizes make more than {} bytes", most_bytes_));
      }
      shape_.push_back(size);
    }
    return bytes;
  }

  at::Tensor from_raw(std::int64_t bytes) {
    const std::string& raw = proto_.raw_data();
    if (static_cast<std::int64_t>(raw.size()) != bytes) {
      bad(fmt::format("its sizes make {} bytes, found {}", bytes, raw.size()));
    }
    at::Tensor tensor = at::empty(shape_, type_);
    if (bytes > 0) std::memcpy(tensor.data_ptr(), raw.data(), raw.size());
    return tensor;
  }

  template <class T, class Field>
  at::Tensor from_numbers(const Field& field) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape_) count *= size;
    if (field.size() != count) bad(fmt::format("its sizes make {} elements, found {}", count, field.size()));
    std::vector<T> values(field.begin(), field.end());
    return at::tensor(values).reshape(shape_);
  }

  at::Tensor from_fields() {
    switch (type_) {
      case at::kFloat:
        return from_numbers<float>(proto_.float_data());
      case at::kDouble:
        return from_numbers<double>(proto_.double_data());
      case at::kLong:
        return from_numbers<std::int64_t>(proto_.int64_data());
      case at::kHalf:
      case at::kBFloat16:
        return from_numbers<std::int32_t>(proto_.int32_data()).to(at::kShort).view(type_);
      default:
        return from_numbers<std::int32_t>(proto_.int32_data()).to(type_);
    }
  }

  std::int64_t number(const std::string& key, const std::string& text) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < 0) {
      bad(fmt::format("its external {} is `{}`; expected a number", key, text));
    }
    return value;
  }

  at::Tensor from_file(std::int64_t bytes) {
    std::string location;
    std::int64_t offset = 0;
    std::int64_t length = bytes;
    for (const auto& entry : proto_.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") offset = number("offset", entry.value());
      if (entry.key() == "length") length = number("length", entry.value());
    }
    if (length != bytes) bad(fmt::format("its sizes make {} bytes, its external length is {}", bytes, length));
    const fs::path file = checked_path(location);
    std::error_code code;
    const auto size = static_cast<std::int64_t>(fs::file_size(file, code));
    if (code || offset > size || bytes > size - offset) {
      bad(fmt::format("its {} bytes at {} are not in {}", bytes, offset, file.string()));
    }
    at::Tensor tensor = at::empty(shape_, type_);
    std::ifstream in(file, std::ios::binary);
    in.seekg(offset);
    if (bytes > 0 && !in.read(static_cast<char*>(tensor.data_ptr()), bytes)) {
      bad(fmt::format("{} cannot be read", file.string()));
    }
    return tensor;
  }

  /// Inside the folder when all links are followed, and a file.
  fs::path checked_path(const std::string& location) {
    const fs::path relative(location);
    bool outside = location.empty() || relative.is_absolute() || location.find('\0') != std::string::npos;
    for (const fs::path& part : relative) outside |= part == "..";
    if (outside) bad(fmt::format("its external location `{}` is not inside the model's folder", location));
    std::error_code code;
    const fs::path root = fs::canonical(folder_, code);
    const fs::path file = code ? fs::path() : fs::canonical(root / relative, code);
    if (code || !fs::is_regular_file(file)) bad(fmt::format("its external file `{}` is not there", location));
    const fs::path inside = file.lexically_relative(root);
    if (inside.empty() || *inside.begin() == "..") {
      bad(fmt::format("its external location `{}` leads out of the model's folder", location));
    }
    return file;
  }

  const onnx::TensorProto& proto_;
  const fs::path& folder_;
  std::int64_t most_bytes_;
  at::ScalarType type_ = at::kFloat;
  std::vector<std::int64_t> shape_;
};

}  // namespace

at::Tensor read_tensor(const onnx::TensorProto& proto, const fs::path& folder, std::int64_t most_bytes) {
  return Reader(proto, folder, most_bytes).read();
}

}  // namespace lathe::compression::onnx_in
