// libpng's memory, which remembers that it ran out: libpng itself says so in the words of a damaged
// file. Called by codec/picture_files/png_reader.cc and png_writer.cc.
// Thread rules: belongs to one reader or writer.
#ifndef GLINT_CODEC_PICTURE_FILES_PNG_MEMORY_H_
#define GLINT_CODEC_PICTURE_FILES_PNG_MEMORY_H_

#include <png.h>

#include <cstdlib>

namespace glint {

class PngMemory {
 public:
  // For png_create_read_struct_2 and png_create_write_struct_2, with the object's address.
  static png_voidp Allocate(png_structp png, png_alloc_size_t size) {
    void* const memory = std::malloc(size);
    if (memory == nullptr) static_cast<PngMemory*>(png_get_mem_ptr(png))->ran_out_ = true;
    return memory;
  }
  static void Free(png_structp, png_voidp memory) { std::free(memory); }

  bool ran_out() const { return ran_out_; }

 private:
  bool ran_out_ = false;
};

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_PNG_MEMORY_H_
