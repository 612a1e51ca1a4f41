#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace recovery::dumpsterctl {

/// Text in columns for a terminal. What is too long for its column is cut and ends with `~`, so that a line
/// never grows beyond the sum of the widths and two blanks between columns. Control characters are shown as
/// `?`.
class Table {
 public:
  struct Column {
    std::string title;
    std::size_t width = 0;
    enum class Align { left, right } align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Titles and rows, each with its line end.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// `4.0 KiB`
std::string shown_size(double bytes);

/// `2026-01-31T12:00:00.000001Z` as `2026-01-31 12:00:00`.
std::string shown_instant(std::string_view rfc3339);

}  // namespace recovery::dumpsterctl
