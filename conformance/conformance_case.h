// One stream of the conformance set: what any decoder must make of it. Used by glint_conformance
// and by tests; the files and what they mean are in conformance/README.md. Thread rules: functions
// of their arguments.
#ifndef GLINT_CONFORMANCE_CONFORMANCE_CASE_H_
#define GLINT_CONFORMANCE_CONFORMANCE_CASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::conformance {

struct Case {
  std::string name;      // of the stream and of the picture
  std::string model;     // its file, from the folder of the manifest on
  std::string model_id;  // 16 hexadecimal digits
  bool exact = false;    // pixels are the same everywhere; else their colour is within one level
  std::string latents;   // SHA-256
  std::string pixels;    // SHA-256, of what the machine made that wrote the set
};

// What a decoder made of a stream.
struct Outcome {
  Picture picture;
  std::string latents, pixels;  // SHA-256
};

// FOLDER/manifest.json.
Expected<std::vector<Case>> ReadManifest(const std::string& folder);
Error WriteManifest(const std::string& folder, const std::vector<Case>& cases);
std::string StreamPath(const std::string& folder, const Case& which);
std::string PicturePath(const std::string& folder, const Case& which);
Expected<std::vector<uint8_t>> ReadBytes(const std::string& path);

// The picture's samples as PAM has them: rows from top to bottom, 16 bits with the high byte first.
std::vector<uint8_t> PamSamples(const Picture& picture);

Expected<Outcome> DecodeCase(const Model& model, const std::vector<uint8_t>& stream,
                             DecodeOptions options = {});
// Whether it is what the manifest and the picture say; the error names what is not.
Error Compare(const std::string& folder, const Case& which, const Outcome& outcome);

}  // namespace glint::conformance

#endif  // GLINT_CONFORMANCE_CONFORMANCE_CASE_H_
