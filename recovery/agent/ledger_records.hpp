#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "recovery/agent/ledger.hpp"

namespace recovery::agent {

/// The records within a ledger's file. Numbers have their lowest byte first.
///
///     m TEXT                             the next mailbox's name; they are numbered from 0
///     d TEXT TEXT                        the next dumpster's: hub, storage group
///     c DUMPSTER(4) AT(8) DELIVERY(16) MAILBOX(4) COPIES(4)
///     w DUMPSTER(4) LOW CURSOR SINCE LAST_CONFIRMED EVICTED_UNTIL UNCONFIRMED(8 each)
///
/// TEXT is its length (4) and bytes; times are microseconds since 1970.
class LedgerWriter {
 public:
  void add(std::string& payload, const Ledger::Entry& entry);
  void add(std::string& payload, const DumpsterName& dumpster, const Watermark& watermark);

  /// A name that the file defines already.
  void known_mailbox(const std::string& name);
  void known_dumpster(const DumpsterName& name);

 private:
  std::uint32_t number(std::string& payload, const std::string& mailbox);
  std::uint32_t number(std::string& payload, const DumpsterName& dumpster);

  std::unordered_map<std::string, std::uint32_t> mailboxes_;
  std::map<DumpsterName, std::uint32_t> dumpsters_;
};

/// Reads payloads, one after the other, into a ledger, and tells the writer the names that they define.
class LedgerReader {
 public:
  LedgerReader(Ledger& ledger, LedgerWriter& writer) : ledger_(ledger), writer_(writer) {}

  /// False when the payload is not what a writer makes; of its records some may have been taken then.
  bool read(std::string_view payload);

 private:
  Ledger& ledger_;
  LedgerWriter& writer_;
  std::vector<std::string> mailboxes_;
  std::vector<DumpsterName> dumpsters_;
};

/// What a file of this marker begins with.
std::string ledger_head(const std::string& marker);

template <std::unsigned_integral Number>
void put_number(std::string& text, Number number) {
  for (std::size_t byte = 0; byte < sizeof(Number); ++byte)
    text += static_cast<char>(static_cast<unsigned char>(number >> (8 * byte)));
}

/// `text` has to be long enough.
template <std::unsigned_integral Number>
Number number_at(std::string_view text, std::size_t place) {
  Number number = 0;
  for (std::size_t byte = 0; byte < sizeof(Number); ++byte) {
    const auto value = static_cast<unsigned char>(text[place + byte]);
    number = static_cast<Number>(number | (static_cast<Number>(value) << (8 * byte)));
  }
  return number;
}

}  // namespace recovery::agent
