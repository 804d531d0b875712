// What bench_codecs found, for people and for programs.
// Used by bench/codecs_bench.cc.
// Thread rules: pure functions, but for the machine's name.
#ifndef GLINT_BENCH_CODECS_REPORT_H_
#define GLINT_BENCH_CODECS_REPORT_H_

#include <string>
#include <vector>

#include "bench/codecs/measurement.h"
#include "tools/common/json_output.h"

namespace glint::bench {

// A table of all settings, one of bits and speeds at each PSNR of `at`, and BD-rates of the first
// curve against the others.
std::string CodecsText(const std::vector<CodecCurve>& curves, const std::vector<double>& at);

// A line for each codec and setting, under a line of titles.
std::string CodecsCsv(const std::vector<CodecCurve>& curves);

// In CompressAI's schema, as `evaluate --curves` reads it.
tools::Json CodecsJson(const std::vector<CodecCurve>& curves);

}  // namespace glint::bench

#endif  // GLINT_BENCH_CODECS_REPORT_H_
