// A measurement as JSON, and back: what a mean needs comes back as it was, to the last bit.
// Used by results of evaluate, its journal, and where results of several machines are joined.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_EVALUATION_MEASUREMENT_JSON_H_
#define GLINT_TOOLS_EVALUATION_MEASUREMENT_JSON_H_

#include <optional>

#include "tools/common/json_output.h"
#include "tools/evaluation/json_input.h"
#include "tools/evaluation/measurement.h"

namespace glint::tools {

Json FiniteOrNull(const std::optional<double>& value);
Json LrdJson(double lrd);  // null for models of one fixed rate

Json MeasurementJson(const Measurement& measurement);
// Faults are the fields' to keep. An infinite PSNR is null in JSON and comes back; an infinite one
// of DetailReport is as good as none, in means too.
Measurement ReadMeasurement(const JsonFields& fields);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_MEASUREMENT_JSON_H_
