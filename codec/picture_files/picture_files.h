// The kinds of picture files behind PictureReader and PictureWriter: PNG, JPEG, PGM, PPM and PAM.
// Used by codec/picture_files/image_io.cc, which chooses among them. Errors begin with the file's
// name.
// Thread rules: a reader or writer belongs to one thread at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_PICTURE_FILES_H_
#define GLINT_CODEC_PICTURE_FILES_PICTURE_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "codec/picture_files/byte_io.h"
#include "glint/image_io.hpp"

namespace glint {

// The most that the metadata of a picture file may take, whatever the limit on memory; and the
// error beyond it.
inline constexpr uint64_t kMostMetadata = uint64_t{64} << 20;
Error MetadataBeyondAll(const std::string& name);

// Whether a picture of these dimensions is within the limit on pixels. An error, too: no pixels.
Error CheckPictureSize(const std::string& name, const PictureInfo& info, const Limits& limits);
// Whether Picture can describe such a picture. Depths below 8 are for gray.
Error CheckPictureInfo(const std::string& name, const PictureInfo& info);

// The small PNG chunks that Metadata::chunks holds, and whether `size` bytes can be one of type
// `type`.
bool IsKeptChunk(std::string_view type, size_t size);
bool MayRepeat(std::string_view type);  // texts

Expected<std::unique_ptr<PictureReader>> OpenPng(std::unique_ptr<ByteSource> source,
                                                 const Limits& limits);
Expected<std::unique_ptr<PictureReader>> OpenPnm(std::unique_ptr<ByteSource> source,
                                                 const Limits& limits);
// Whether this build has libjpeg; else OpenJpeg is kUnsupported.
bool ReadsJpeg();
Expected<std::unique_ptr<PictureReader>> OpenJpeg(std::unique_ptr<ByteSource> source,
                                                  const Limits& limits);

// Chunks of metadata that are not of a kept type are left out.
Expected<std::unique_ptr<PictureWriter>> CreatePng(std::unique_ptr<ByteSink> sink,
                                                   const PictureInfo& info,
                                                   const Metadata& metadata);
enum class PnmKind { kPgm, kPpm, kPam };
// These have no place for metadata. Gray in a PPM is written as RGB.
Expected<std::unique_ptr<PictureWriter>> CreatePnm(std::unique_ptr<ByteSink> sink, PnmKind kind,
                                                   const PictureInfo& info);

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_PICTURE_FILES_H_
