#include "recovery/agent/ledger_records.hpp"

#include <algorithm>

namespace recovery::agent {
namespace {

void put_text(std::string& payload, std::string_view text) {
  put_number(payload, static_cast<std::uint32_t>(text.size()));
  payload += text;
}

void put_instant(std::string& payload, Instant instant) {
  put_number(payload, static_cast<std::uint64_t>(instant.time_since_epoch().count()));
}

/// Takes fields off the front of a payload; once one is not there, all are empty and `whole` is false.
class Cutter {
 public:
  explicit Cutter(std::string_view rest) : rest_(rest) {}

  bool whole() const { return whole_; }
  bool empty() const { return rest_.empty(); }

  std::string_view bytes(std::size_t count) {
    whole_ = whole_ && rest_.size() >= count;
    if (!whole_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <std::unsigned_integral Number>
  Number number() {
    const std::string_view taken = bytes(sizeof(Number));
    return whole_ ? number_at<Number>(taken, 0) : Number{0};
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    return std::string{bytes(size)};
  }
  Instant instant() {
    return Instant{dumpster::Duration{static_cast<std::int64_t>(number<std::uint64_t>())}};
  }

 private:
  std::string_view rest_;
  bool whole_ = true;
};

Watermark watermark_of(Cutter& cutter) {
  Watermark watermark;
  watermark.low = cutter.instant();
  watermark.cursor = cutter.instant();
  watermark.since = cutter.instant();
  watermark.last_confirmed = cutter.instant();
  watermark.evicted_until = cutter.instant();
  watermark.unconfirmed = cutter.number<std::uint64_t>();
  return watermark;
}

}  // namespace

void LedgerWriter::known_mailbox(const std::string& name) {
  mailboxes_.emplace(name, static_cast<std::uint32_t>(mailboxes_.size()));
}

void LedgerWriter::known_dumpster(const DumpsterName& name) {
  dumpsters_.emplace(name, static_cast<std::uint32_t>(dumpsters_.size()));
}

std::uint32_t LedgerWriter::number(std::string& payload, const std::string& mailbox) {
  const auto [place, fresh] = mailboxes_.try_emplace(mailbox, static_cast<std::uint32_t>(mailboxes_.size()));
  if (fresh) {
    payload += 'm';
    put_text(payload, mailbox);
  }
  return place->second;
}

std::uint32_t LedgerWriter::number(std::string& payload, const DumpsterName& dumpster) {
  const auto [place, fresh] = dumpsters_.try_emplace(dumpster, static_cast<std::uint32_t>(dumpsters_.size()));
  if (fresh) {
    payload += 'd';
    put_text(payload, dumpster.hub);
    put_text(payload, dumpster.group);
  }
  return place->second;
}

void LedgerWriter::add(std::string& payload, const Ledger::Entry& entry) {
  const std::uint32_t dumpster = number(payload, entry.dumpster);
  const std::uint32_t mailbox = number(payload, entry.mailbox);
  payload += 'c';
  put_number(payload, dumpster);
  put_instant(payload, entry.at);
  for (const std::uint8_t byte : entry.delivery.bytes)
    payload += static_cast<char>(byte);
  put_number(payload, mailbox);
  put_number(payload, entry.copies);
}

void LedgerWriter::add(std::string& payload, const DumpsterName& dumpster, const Watermark& watermark) {
  const std::uint32_t place = number(payload, dumpster);
  payload += 'w';
  put_number(payload, place);
  put_instant(payload, watermark.low);
  put_instant(payload, watermark.cursor);
  put_instant(payload, watermark.since);
  put_instant(payload, watermark.last_confirmed);
  put_instant(payload, watermark.evicted_until);
  put_number(payload, watermark.unconfirmed);
}

bool LedgerReader::read(std::string_view payload) {
  Cutter cutter{payload};
  while (!cutter.empty()) {
    const std::string_view kind = cutter.bytes(1);
    if (kind == "m") {
      mailboxes_.push_back(cutter.text());
      writer_.known_mailbox(mailboxes_.back());
    } else if (kind == "d") {
      DumpsterName name;
      name.hub = cutter.text();
      name.group = cutter.text();
      writer_.known_dumpster(name);
      dumpsters_.push_back(std::move(name));
    } else if (kind == "c") {
      const auto dumpster = cutter.number<std::uint32_t>();
      Ledger::Entry entry;
      entry.at = cutter.instant();
      const std::string_view id = cutter.bytes(entry.delivery.bytes.size());
      std::copy(id.begin(), id.end(), entry.delivery.bytes.begin());
      const auto mailbox = cutter.number<std::uint32_t>();
      entry.copies = cutter.number<std::uint32_t>();
      if (!cutter.whole() || dumpster >= dumpsters_.size() || mailbox >= mailboxes_.size()) return false;
      entry.dumpster = dumpsters_[dumpster];
      entry.mailbox = mailboxes_[mailbox];
      ledger_.confirm(entry);
    } else if (kind == "w") {
      const auto dumpster = cutter.number<std::uint32_t>();
      const Watermark watermark = watermark_of(cutter);
      if (!cutter.whole() || dumpster >= dumpsters_.size()) return false;
      ledger_.set_watermark(dumpsters_[dumpster], watermark);
    } else {
      return false;
    }
  }
  return cutter.whole();
}

std::string ledger_head(const std::string& marker) {
  return "dumpster-agent ledger 1 " + marker + "\n";
}

}  // namespace recovery::agent
