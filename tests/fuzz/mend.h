// Makes streams good again that a fuzzer has changed: a wrong CRC or another model's name would end
// every decoding at its beginning. It also keeps old inputs useful when the small models change.
// Used by tests/fuzz/ only.
// Thread rules: functions of their arguments.
#ifndef GLINT_TESTS_FUZZ_MEND_H_
#define GLINT_TESTS_FUZZ_MEND_H_

#include <string>

#include "tests/fuzz/input.h"

namespace glint::fuzz {

// CRCs of all chunks as far as they can be walked.
void MendChecksums(Bytes* stream);
// The header's id of the model, 16 hexadecimal digits, and the CRCs.
void MendStream(const std::string& model_id, Bytes* stream);

}  // namespace glint::fuzz

#endif  // GLINT_TESTS_FUZZ_MEND_H_
