#include "relay/directory/recipient_table.hpp"

#include <algorithm>

namespace relay {

void RecipientTable::add(std::string_view key, std::uint32_t route, std::string_view text,
                         std::uint32_t line) {
  Entry entry;
  entry.key_offset = texts_.size();
  entry.key_size = static_cast<std::uint16_t>(key.size());
  entry.text_size = static_cast<std::uint32_t>(text.size());
  entry.route = route;
  entry.line = line;
  texts_ += key;
  texts_ += text;
  entries_.push_back(entry);
}

std::uint32_t RecipientTable::route_index(const Route& route) {
  const auto [place, added] = route_indices_.try_emplace(route, static_cast<std::uint32_t>(routes_.size()));
  if (added) routes_.push_back(route);
  return place->second;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> RecipientTable::finish() {
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    const auto order = key(a).compare(key(b));
    return order != 0 ? order < 0 : a.line < b.line;
  });
  texts_.shrink_to_fit();
  entries_.shrink_to_fit();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> duplicates;
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (key(entries_[i - 1]) == key(entries_[i]))
      duplicates.emplace_back(entries_[i - 1].line, entries_[i].line);
  }
  return duplicates;
}

const RecipientTable::Entry* RecipientTable::find(std::string_view wanted) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), wanted,
                       [this](const Entry& entry, std::string_view k) { return key(entry) < k; });
  if (found == entries_.end() || key(*found) != wanted) return nullptr;
  return &*found;
}

std::string_view RecipientTable::key(const Entry& entry) const {
  return std::string_view{texts_}.substr(entry.key_offset, entry.key_size);
}

std::string_view RecipientTable::text(const Entry& entry) const {
  return std::string_view{texts_}.substr(entry.key_offset + entry.key_size, entry.text_size);
}

}  // namespace relay
