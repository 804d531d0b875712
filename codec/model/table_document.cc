#include "codec/model/table_document.h"

#include <cmath>
#include <set>

#include "engine/byte_order.h"
#include "engine/safetensors.h"

namespace glint {
namespace {

constexpr size_t kMaxSets = 256;
constexpr int kMaxTables = 4096;
constexpr int64_t kCdfTotal = 65536;

// The 1-D tensor that reader[key] names.
Status FindTable(ObjectReader* reader, const char* key, const TensorTable& tensors,
                 std::string* name, const TensorView** view) {
  GLINT_TRY(reader->Name(key, name));
  const auto found = tensors.find(*name);
  if (found == tensors.end()) {
    return reader->Fail(std::string(key) + " names tensor " + Quote(*name) +
                        ", which is not in the file");
  }
  *view = &found->second;
  if ((*view)->shape.size() == 1) return Status::Ok();
  return BadModel("tensor " + Quote(*name),
                  "has shape " + ShapeText(**view) + ", a list is wanted for " + key);
}

Status ReadIntegers(ObjectReader* reader, const char* key, const TensorTable& tensors,
                    std::string* name, std::vector<int32_t>* out) {
  const TensorView* view = nullptr;
  GLINT_TRY(FindTable(reader, key, tensors, name, &view));
  if (view->dtype != DType::kI32 && view->dtype != DType::kI16) {
    return BadModel("tensor " + Quote(*name), std::string("has dtype ") + NameOf(view->dtype) +
                                                  ", I32 or I16 is wanted for " + key);
  }
  out->resize(view->elements);
  for (size_t i = 0; i < view->elements; ++i) {
    if (view->dtype == DType::kI32) {
      (*out)[i] = LoadLittleEndian<int32_t>(view->data + 4 * i);
    } else {
      (*out)[i] = LoadLittleEndian<int16_t>(view->data + 2 * i);
    }
  }
  return Status::Ok();
}

// One table: cumulative counts 0 < ... < 65536 of at least one value and the escape.
Status CheckTable(const std::string& name, size_t index, const int32_t* cdf, size_t entries,
                  int64_t min) {
  const std::string place = "tensor " + Quote(name);
  const std::string table = "table " + std::to_string(index);
  if (entries < 3) {
    return BadModel(place,
                    table + " has " + std::to_string(entries) + " entries, at least 3 are needed");
  }
  if (cdf[0] != 0 || cdf[entries - 1] != kCdfTotal) {
    return BadModel(place, table + " runs from " + std::to_string(cdf[0]) + " to " +
                               std::to_string(cdf[entries - 1]) + ", not from 0 to 65536");
  }
  for (size_t i = 1; i < entries; ++i) {
    if (cdf[i] <= cdf[i - 1]) {
      return BadModel(place, table + " is not strictly increasing: entry " + std::to_string(i) +
                                 " is " + std::to_string(cdf[i]) + " after " +
                                 std::to_string(cdf[i - 1]));
    }
  }
  const int64_t max = min + static_cast<int64_t>(entries) - 3;  // without the escape
  if (min < INT16_MIN || max > INT16_MAX) {
    return BadModel(place, table + " covers the values " + std::to_string(min) + " to " +
                               std::to_string(max) + ", which are not all 16-bit");
  }
  return Status::Ok();
}

Status ReadTables(ObjectReader* reader, const TensorTable& tensors, std::set<std::string>* used,
                  CdfTables* out) {
  std::vector<int32_t> cdf, start;
  std::string cdf_name, start_name, min_name;
  GLINT_TRY(ReadIntegers(reader, "cdf", tensors, &cdf_name, &cdf));
  // Sets that share tables would take many times the file's size; steps may share a set instead.
  if (!used->insert(cdf_name).second) {
    return reader->Fail("cdf names tensor " + Quote(cdf_name) + ", which another set has already");
  }
  GLINT_TRY(ReadIntegers(reader, "cdf_start", tensors, &start_name, &start));
  GLINT_TRY(ReadIntegers(reader, "cdf_min", tensors, &min_name, &out->min));
  const size_t tables = out->min.size();
  if (tables < 1 || tables > kMaxTables) {
    return BadModel("tensor " + Quote(min_name),
                    "has " + std::to_string(tables) + " tables, 1 to 4096 are allowed");
  }
  const std::string start_place = "tensor " + Quote(start_name);
  if (start.size() != tables + 1) {
    return BadModel(start_place, "has " + std::to_string(start.size()) + " entries, " +
                                     std::to_string(tables + 1) + " are wanted");
  }
  if (start[0] != 0 || static_cast<size_t>(start[tables]) != cdf.size()) {
    return BadModel(start_place, "runs from " + std::to_string(start[0]) + " to " +
                                     std::to_string(start[tables]) + ", not from 0 to " +
                                     std::to_string(cdf.size()));
  }
  for (size_t i = 0; i < tables; ++i) {
    if (start[i + 1] <= start[i]) {
      return BadModel(start_place, "is not strictly increasing at table " + std::to_string(i));
    }
  }
  // Only now: ascending between 0 and the size of cdf, so every table lies inside it.
  for (size_t i = 0; i < tables; ++i) {
    GLINT_TRY(CheckTable(cdf_name, i, cdf.data() + start[i],
                         static_cast<size_t>(start[i + 1] - start[i]), out->min[i]));
  }
  out->cdf.assign(cdf.begin(), cdf.end());
  out->start.assign(start.begin(), start.end());
  return Status::Ok();
}

Status ReadThresholds(ObjectReader* reader, const TensorTable& tensors, size_t tables,
                      std::vector<float>* out) {
  std::string name;
  const TensorView* view = nullptr;
  GLINT_TRY(FindTable(reader, "thresholds", tensors, &name, &view));
  const std::string place = "tensor " + Quote(name);
  if (view->dtype != DType::kF32) {
    return BadModel(
        place, std::string("has dtype ") + NameOf(view->dtype) + ", F32 is wanted for thresholds");
  }
  if (view->elements != tables - 1) {
    return BadModel(place, "has " + std::to_string(view->elements) + " thresholds for " +
                               std::to_string(tables) + " tables");
  }
  out->resize(view->elements);
  CopyLittleEndian(view->data, out->size(), out->data());
  for (size_t i = 0; i < out->size(); ++i) {
    if (!std::isfinite((*out)[i])) {
      return BadModel(place, "entry " + std::to_string(i) + " is not finite");
    }
    if (i > 0 && !((*out)[i] > (*out)[i - 1])) {
      return BadModel(place, "is not ascending at entry " + std::to_string(i));
    }
  }
  return Status::Ok();
}

}  // namespace

Status ReadTableSets(const Json& object, const TensorTable& tensors,
                     std::map<std::string, TableSet>* out) {
  const Json::Object& members = object.object();
  if (members.empty() || members.size() > kMaxSets) {
    return BadModel("coding, tables", "has " + std::to_string(members.size()) + " sets, 1 to " +
                                          std::to_string(kMaxSets) + " are allowed");
  }
  std::set<std::string> used;  // tensors of tables
  for (const auto& [name, value] : members) {
    const std::string place = "coding, tables " + Quote(name);
    if (!IsName(name)) return BadModel(place, "is not a valid name");
    TableSet& set = (*out)[name];
    ObjectReader reader(value, place);
    GLINT_TRY(ReadTables(&reader, tensors, &used, &set.tables));
    set.has_thresholds = reader.Has("thresholds");
    if (set.has_thresholds) {
      GLINT_TRY(ReadThresholds(&reader, tensors, set.tables.count(), &set.thresholds));
    }
    GLINT_TRY(reader.Finish());
  }
  return Status::Ok();
}

}  // namespace glint
