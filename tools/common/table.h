// Aligned text tables that can be printed row by row, for terminals, pipes and logs alike.
// Used by the tools and benchmarks.
// Thread rules: values, no shared state.
#ifndef GLINT_TOOLS_COMMON_TABLE_H_
#define GLINT_TOOLS_COMMON_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace glint::tools {

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kRight;
    size_t min_width = 0;
  };
  using Cells = std::vector<std::string>;

  explicit Table(std::vector<Column> columns);
  // Makes columns wide enough for a row that will come.
  void Fit(const Cells& cells);

  // Lines without the line feed. Wider cells than planned push the rest of their line to the right.
  std::string Header() const;
  std::string Rule() const;
  std::string Row(const Cells& cells) const;

 private:
  std::vector<Column> columns_;
};

// Header, rule and rows at once, each line after `indent`.
std::string FormatTable(std::vector<Table::Column> columns, const std::vector<Table::Cells>& rows,
                        const std::string& indent = "");

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_TABLE_H_
