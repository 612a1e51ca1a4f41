#include "dumpster/rocksdb/matching.hpp"

#include <algorithm>

namespace dumpster::rocks {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

Indices matching_recipients(const Delivery& line, const std::vector<std::string>& names) {
  if (names.empty()) return indices_of(line);
  Indices matching;
  for (const auto& recipient : line.recipients) {
    const bool named = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return same_name(name, recipient.address) || same_name(name, recipient.mailbox);
    });
    if (named) matching.insert(recipient.index);
  }
  return matching;
}

}  // namespace dumpster::rocks
