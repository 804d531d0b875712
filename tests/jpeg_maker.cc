#include "tests/jpeg_maker.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

// These want <cstdio> before them.
#include <doctest/doctest.h>
#include <jpeglib.h>

namespace glint::testing {
namespace {

std::vector<jpeg_scan_info> ScanForEachCoefficient(int components) {
  std::vector<jpeg_scan_info> scans;
  for (int c = 0; c < components; ++c) {
    for (int i = 0; i < DCTSIZE2; ++i) scans.push_back({1, {c}, i, i, 0, 0});
  }
  return scans;
}

std::vector<jpeg_scan_info> ScanForEach(int components) {
  std::vector<jpeg_scan_info> scans;
  for (int c = 0; c < components; ++c) scans.push_back({1, {c}, 0, 63, 0, 0});
  return scans;
}

}  // namespace

std::vector<uint8_t> MakeJpeg(const Picture& picture, const JpegForm& form) {
  REQUIRE(picture.info.bit_depth == 8);
  REQUIRE_FALSE(picture.info.has_alpha);
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);  // ends the process where the test is wrong
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = picture.info.width;
  jpeg.image_height = picture.info.height;
  jpeg.input_components = form.cmyk ? 4 : static_cast<int>(picture.info.channels);
  jpeg.in_color_space = form.cmyk ? JCS_CMYK : picture.info.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, form.quality, TRUE);
  if (form.rgb) jpeg_set_colorspace(&jpeg, JCS_RGB);
  if (jpeg.num_components == 3 && !form.rgb) {
    jpeg.comp_info[0].h_samp_factor = form.across;
    jpeg.comp_info[0].v_samp_factor = form.down;
  }
  jpeg.arith_code = form.arithmetic ? TRUE : FALSE;
  jpeg.restart_interval = static_cast<unsigned>(form.restart);
  std::vector<jpeg_scan_info> scans;
  if (form.progressive) jpeg_simple_progression(&jpeg);
  if (!form.interleaved) scans = ScanForEach(jpeg.num_components);
  if (form.split) scans = ScanForEachCoefficient(jpeg.num_components);
  if (!scans.empty()) {
    jpeg.scan_info = scans.data();
    jpeg.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&jpeg, TRUE);
  for (const auto& [marker, content] : form.markers) {
    jpeg_write_marker(&jpeg, marker, content.data(), static_cast<unsigned>(content.size()));
  }
  const size_t row_bytes = picture.info.RowBytes();
  std::vector<uint8_t> row(size_t{picture.info.width} * 4);
  while (jpeg.next_scanline < jpeg.image_height) {
    const uint8_t* from = picture.samples.data() + jpeg.next_scanline * row_bytes;
    for (size_t i = 0; i < row.size(); ++i) row[i] = from[i % row_bytes];
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&jpeg, &rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::vector<uint8_t> file(memory, memory + size);
  jpeg_destroy_compress(&jpeg);
  std::free(memory);
  return file;
}

std::vector<uint8_t> ExifSegment(const std::vector<uint8_t>& tiff) {
  const char prefix[] = "Exif\0";
  std::vector<uint8_t> segment(sizeof(prefix) + tiff.size());
  std::copy(std::begin(prefix), std::end(prefix), segment.begin());
  std::copy(tiff.begin(), tiff.end(), segment.begin() + sizeof(prefix));
  return segment;
}

std::vector<uint8_t> IccSegment(const std::vector<uint8_t>& part, int number, int count) {
  const std::string name = "ICC_PROFILE";
  std::vector<uint8_t> segment(name.c_str(), name.c_str() + name.size() + 1);
  segment.push_back(static_cast<uint8_t>(number));
  segment.push_back(static_cast<uint8_t>(count));
  segment.insert(segment.end(), part.begin(), part.end());
  return segment;
}

Picture ReadJpegPlainly(const std::vector<uint8_t>& file) {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, file.data(), static_cast<unsigned long>(file.size()));
  REQUIRE(jpeg_read_header(&jpeg, TRUE) == JPEG_HEADER_OK);
  jpeg_start_decompress(&jpeg);
  Picture picture;
  picture.info.width = jpeg.output_width;
  picture.info.height = jpeg.output_height;
  picture.info.channels = static_cast<uint32_t>(jpeg.output_components);
  picture.samples.resize(picture.info.RowBytes() * picture.info.height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = picture.samples.data() + jpeg.output_scanline * picture.info.RowBytes();
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return picture;
}

}  // namespace glint::testing
