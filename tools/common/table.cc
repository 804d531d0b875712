#include "tools/common/table.h"

#include <algorithm>
#include <utility>

#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr const char* kGap = "  ";

std::string Pad(const std::string& text, size_t width, Table::Align align) {
  const size_t shown = DisplayWidth(text);
  const std::string space(width > shown ? width - shown : 0, ' ');
  return align == Table::Align::kLeft ? text + space : space + text;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) {
    column.min_width = std::max(column.min_width, DisplayWidth(column.title));
  }
}

void Table::Fit(const Cells& cells) {
  for (size_t i = 0; i < std::min(cells.size(), columns_.size()); ++i) {
    columns_[i].min_width = std::max(columns_[i].min_width, DisplayWidth(cells[i]));
  }
}

std::string Table::Row(const Cells& cells) const {
  std::string line;
  for (size_t i = 0; i < std::min(cells.size(), columns_.size()); ++i) {
    if (i > 0) line += kGap;
    line += Pad(cells[i], columns_[i].min_width, columns_[i].align);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Table::Header() const {
  Cells titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  return Row(titles);
}

std::string Table::Rule() const {
  Cells dashes;
  for (const Column& column : columns_) dashes.emplace_back(column.min_width, '-');
  return Row(dashes);
}

std::string FormatTable(std::vector<Table::Column> columns, const std::vector<Table::Cells>& rows,
                        const std::string& indent) {
  Table table(std::move(columns));
  for (const Table::Cells& row : rows) table.Fit(row);
  std::string text = indent + table.Header() + "\n" + indent + table.Rule() + "\n";
  for (const Table::Cells& row : rows) text += indent + table.Row(row) + "\n";
  return text;
}

}  // namespace glint::tools
