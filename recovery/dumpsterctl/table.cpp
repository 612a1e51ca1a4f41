#include "recovery/dumpsterctl/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace recovery::dumpsterctl {
namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string printable(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return result;
}

/// The first `width` characters of UTF-8.
std::string_view front_of(std::string_view text, std::size_t width) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && seen++ == width) return text.substr(0, i);
  }
  return text;
}

std::string cell(std::string_view content, const Table::Column& column, bool last) {
  auto text = printable(content);
  auto width = width_of(text);
  if (width > column.width) {
    text = std::string{front_of(text, column.width - 1)} + "~";
    width = column.width;
  }
  const std::string blanks(column.width - width, ' ');
  if (column.align == Table::Column::Align::right) return blanks + text;
  return last ? text : text + blanks;
}

}  // namespace

std::string Table::text() const {
  std::string result;
  const auto add_line = [&](const auto& content_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
      line += cell(content_of(i), columns_[i], i + 1 == columns_.size());
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  };
  add_line([this](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) {
    add_line([&row](std::size_t i) { return i < row.size() ? row[i] : std::string{}; });
  }
  return result;
}

std::string shown_size(double bytes) {
  constexpr std::array<const char*, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text.data();
}

std::string shown_instant(std::string_view rfc3339) {
  if (rfc3339.size() < 19) return std::string{rfc3339};
  return std::string{rfc3339.substr(0, 10)} + " " + std::string{rfc3339.substr(11, 8)};
}

}  // namespace recovery::dumpsterctl
