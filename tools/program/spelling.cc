#include "tools/program/spelling.h"

#include <algorithm>

namespace glint::tools {
namespace {

std::string WithoutDashes(const std::string& word) {
  const size_t start = word.find_first_not_of('-');
  return start == std::string::npos ? "" : word.substr(start);
}

}  // namespace

size_t EditDistance(const std::string& a, const std::string& b) {
  // Rows of the table of distances between the beginnings of both.
  std::vector<size_t> before, above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

std::vector<std::string> NearestWords(const std::string& word,
                                      const std::vector<std::string>& known) {
  const std::string wanted = WithoutDashes(word);
  std::vector<std::string> nearest;
  if (wanted.size() < 2) return nearest;
  for (const std::string& candidate : known) {
    if (WithoutDashes(candidate).rfind(wanted, 0) == 0) nearest.push_back(candidate);
  }
  if (!nearest.empty()) return nearest;
  size_t least = (wanted.size() + 1) / 3;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(wanted, WithoutDashes(candidate));
    if (distance > least) continue;
    if (distance < least) nearest.clear();
    least = distance;
    nearest.push_back(candidate);
  }
  return nearest;
}

}  // namespace glint::tools
