// JPEG by libjpeg-turbo. The library leaves through longjmp when it fails, so the functions that it may leave own
// nothing; what they fill is owned by their callers.
#include <algorithm>
#include <csetjmp>
#include <cstdio>

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include "data/image_decoder.hpp"

namespace lathe::compression {
namespace {

/// A progressive image may have any number of scans of all its pixels; a real one has about ten.
constexpr int kMostScans = 100;

struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed{};
  char message[JMSG_LENGTH_MAX] = {};
};

Decoder& decoder_of(j_common_ptr info) {
  return *static_cast<Decoder*>(info->client_data);
}

[[noreturn]] void leave(j_common_ptr info) {
  Decoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.message);
  std::longjmp(decoder.failed, 1);
}

/// Many a good image has odd bytes between its segments; a cut one must not pass for whole.
void note_warning(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) leave(info);
}

void count_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  Decoder& decoder = decoder_of(info);
  std::snprintf(decoder.message, sizeof decoder.message, "more than %d scans", kMostScans);
  std::longjmp(decoder.failed, 1);
}

void prepare(Decoder& decoder) {
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.info.client_data = &decoder;
  decoder.errors.error_exit = leave;
  decoder.errors.emit_message = note_warning;
  decoder.progress.progress_monitor = count_scans;
}

bool read_header(Decoder& decoder, std::span<const std::uint8_t> bytes) {
  if (setjmp(decoder.failed) != 0) return false;
  jpeg_create_decompress(&decoder.info);
  decoder.info.progress = &decoder.progress;
  jpeg_mem_src(&decoder.info, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

/// Ink on white, as Adobe's programs write it (inverted) or as the standard has it.
void cmyk_to_rgb(std::uint8_t* row, std::size_t pixels, bool is_inverted) {
  for (std::size_t x = 0; x < pixels; ++x) {
    const std::uint8_t* cmyk = row + 4 * x;
    const auto light = [&](int i) { return is_inverted ? unsigned{cmyk[i]} : 255U - cmyk[i]; };
    const unsigned black = light(3);
    const unsigned rgb[] = {light(0) * black / 255, light(1) * black / 255, light(2) * black / 255};
    for (int i = 0; i < 3; ++i) row[3 * x + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(rgb[i]);
  }
}

/// `pixels` has room for the image; `row` for one row of four channels.
bool read_pixels(Decoder& decoder, std::uint8_t* pixels, std::uint8_t* row) {
  if (setjmp(decoder.failed) != 0) return false;
  jpeg_decompress_struct& info = decoder.info;
  const bool is_cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&info);
  const std::size_t stride = std::size_t{3} * info.output_width;
  while (info.output_scanline < info.output_height) {
    std::uint8_t* place = pixels + info.output_scanline * stride;
    JSAMPROW target = is_cmyk ? row : place;
    jpeg_read_scanlines(&info, &target, 1);
    if (!is_cmyk) continue;
    cmyk_to_rgb(row, info.output_width, info.saw_Adobe_marker != 0);
    std::copy(row, row + stride, place);
  }
  jpeg_finish_decompress(&info);
  return true;
}

/// Frees what the library took, however the decoding ended.
class Session {
 public:
  explicit Session(std::span<const std::uint8_t> bytes) {
    prepare(decoder);
    is_open = read_header(decoder, bytes);
  }
  ~Session() { jpeg_destroy_decompress(&decoder.info); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] tl::unexpected<Error> damaged() const {
    return fail(fmt::format("a damaged JPEG image: {}", decoder.message));
  }
  [[nodiscard]] Result<ImageSize> size() const {
    if (!is_open) return damaged();
    return checked_size(decoder.info.image_height, decoder.info.image_width);
  }

  Decoder decoder;
  bool is_open = false;
};

}  // namespace

Result<ImageSize> jpeg_size(std::span<const std::uint8_t> bytes) {
  return Session(bytes).size();
}

Result<Image> decode_jpeg(std::span<const std::uint8_t> bytes) {
  Session session(bytes);
  const auto size = session.size();
  if (!size) return tl::unexpected(size.error());
  Image image{size->height, size->width, 3, {}};
  image.pixels.resize(static_cast<std::size_t>(size->height * size->width * 3));
  std::vector<std::uint8_t> row(static_cast<std::size_t>(size->width) * 4);
  if (!read_pixels(session.decoder, image.pixels.data(), row.data())) return session.damaged();
  return image;
}

}  // namespace lathe::compression
