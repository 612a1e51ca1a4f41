#include "recovery/agent/ledger.hpp"

#include <algorithm>

namespace recovery::agent {

std::optional<Ledger::Key> Ledger::key_of(std::string_view mailbox, const dumpster::Uuid& delivery) const {
  const auto number = mailbox_numbers_.find(mailbox);
  if (number == mailbox_numbers_.end()) return std::nullopt;
  return Key{number->second, delivery};
}

std::uint32_t Ledger::number_of_mailbox(const std::string& mailbox) {
  const auto [place, fresh] =
      mailbox_numbers_.try_emplace(mailbox, static_cast<std::uint32_t>(mailboxes_.size()));
  if (fresh) mailboxes_.push_back(mailbox);
  return place->second;
}

std::uint32_t Ledger::number_of_dumpster(const DumpsterName& dumpster) {
  const auto [place, fresh] =
      dumpster_numbers_.try_emplace(dumpster, static_cast<std::uint32_t>(dumpsters_.size()));
  if (fresh) dumpsters_.push_back(dumpster);
  return place->second;
}

void Ledger::confirm(const Entry& entry) {
  const Key key{number_of_mailbox(entry.mailbox), entry.delivery};
  Value& value = confirmed_[key];
  value.copies = std::max(value.copies, entry.copies);
  value.at = std::max(value.at, entry.at);
  value.dumpster = number_of_dumpster(entry.dumpster);
}

std::uint32_t Ledger::copies(std::string_view mailbox, const dumpster::Uuid& delivery) const {
  const auto key = key_of(mailbox, delivery);
  if (!key) return 0;
  const auto found = confirmed_.find(*key);
  return found == confirmed_.end() ? 0 : found->second.copies;
}

std::optional<std::pair<DumpsterName, Instant>> Ledger::place_of(std::string_view mailbox,
                                                                 const dumpster::Uuid& delivery) const {
  const auto key = key_of(mailbox, delivery);
  if (!key) return std::nullopt;
  const auto found = confirmed_.find(*key);
  if (found == confirmed_.end()) return std::nullopt;
  return std::pair{dumpsters_[found->second.dumpster], found->second.at};
}

const Watermark* Ledger::watermark(const DumpsterName& dumpster) const {
  const auto found = watermarks_.find(dumpster);
  return found == watermarks_.end() ? nullptr : &found->second;
}

void Ledger::set_watermark(const DumpsterName& dumpster, const Watermark& watermark) {
  watermarks_[dumpster] = watermark;
}

void Ledger::forget(const std::map<DumpsterName, Instant>& keep_from, std::size_t most) {
  std::vector<Entry> kept;
  each([&](Entry entry) {
    const auto limit = keep_from.find(entry.dumpster);
    if (limit == keep_from.end() || entry.at >= limit->second) kept.push_back(std::move(entry));
  });
  if (kept.size() > most) {
    const auto end = kept.begin() + static_cast<std::ptrdiff_t>(most);
    std::nth_element(kept.begin(), end, kept.end(),
                     [](const Entry& a, const Entry& b) { return a.at > b.at; });
    kept.erase(end, kept.end());
  }
  Ledger rebuilt{marker_};
  rebuilt.watermarks_ = watermarks_;
  for (const Entry& entry : kept)
    rebuilt.confirm(entry);
  *this = std::move(rebuilt);
}

}  // namespace recovery::agent
