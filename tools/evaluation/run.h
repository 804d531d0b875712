// What a run of `evaluate` is: its models, rates, pictures, and the flags that its results depend
// on. In JSON it tells a journal and the results of shards which run they are of.
// Used by what else is in tools/evaluation.
// Thread rules: pure functions, but DescribeRun, which asks for the files' sizes and dates.
#ifndef GLINT_TOOLS_EVALUATION_RUN_H_
#define GLINT_TOOLS_EVALUATION_RUN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/json_output.h"
#include "tools/common/machine.h"
#include "tools/common/shard.h"
#include "tools/evaluation/job.h"
#include "tools/evaluation/json_input.h"

namespace glint::tools {

struct RunModel {
  struct Member {
    std::string name, path, id;  // of the file
    uint64_t bytes = 0;
  };
  std::string label, type;
  std::string name;             // of the first member's model
  double load_seconds = 0;      // of the first
  std::vector<Member> members;  // one; or a family, models of one fixed rate each
};

struct RunPicture {
  std::string name;
  uint64_t bytes = 0;  // of the file
};

struct EvaluationRun {
  std::string version;
  std::vector<RunModel> models;
  bool has_families = false;
  std::vector<CurvePoint> points;
  bool rates_given = false;  // by flags
  std::string detail;        // DetailName
  bool detail_given = false;
  int effort = 0, repeat = 1, freq = 1;
  bool verify = true;
  Limits limits;
  bool is_folder = false;
  std::vector<RunPicture> pictures;  // all, also those of other shards
  std::optional<Shard> shard;

  // What changes no result.
  std::string source, left_out;  // where the pictures are, and LeftOutText
  Machine machine;
};

EvaluationRun DescribeRun(const EvaluateFlags& flags, const Job& job);

// The places in the list of the pictures that this run, or its shard, has to evaluate.
std::vector<size_t> PicturesOf(const EvaluationRun& run);

// What a rate is called: "0.0004", or the member of the family, with the lrd of its details where
// one was chosen.
std::string RateName(const EvaluationRun& run, size_t model, size_t point);

// All that results depend on, but for the shard.
Json RunJson(const EvaluationRun& run);
// Paths and seconds are not in it. What reads as nothing that a run can be is a fault.
EvaluationRun ReadRun(const JsonFields& fields, std::string* fault);
// Where two of RunJson differ first, for people: "rates 2, lrd: 0.1, not 0.2"; empty if nowhere.
std::string DifferenceText(const Json& one, const Json& other, const std::string& place = "");

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_RUN_H_
