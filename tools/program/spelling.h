// The known words that are nearest to a misspelt one.
// Used by tools/program/program.cc for flags and commands.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_PROGRAM_SPELLING_H_
#define GLINT_TOOLS_PROGRAM_SPELLING_H_

#include <cstddef>
#include <string>
#include <vector>

namespace glint::tools {

// Letters to add, take away, change, or swap with their neighbour.
size_t EditDistance(const std::string& a, const std::string& b);

// Those of `known` that `word` begins, else those that few edits away are nearest; empty when
// nothing is like it. Dashes in front do not count.
std::vector<std::string> NearestWords(const std::string& word,
                                      const std::vector<std::string>& known);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_SPELLING_H_
