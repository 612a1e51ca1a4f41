#pragma once

#include <string_view>

#include "dumpster/codec.hpp"

namespace dumpster {

// What the encodings of all records share.

/// Runs `read` over the payload; what is malformed is damage.
template <class Record, class Read>
Result<Record> decoded(std::string_view payload, Read read) {
  try {
    Decoder in{payload};
    Record record;
    read(in, record);
    in.expect_end();
    return record;
  } catch (const Malformed& malformed) {
    return Error{Fault::damaged, malformed.what()};
  }
}

/// An enumeration whose values run from `first` to `last` without a gap.
template <class Enum>
Enum enumeration(Decoder& in, Enum first, Enum last) {
  const auto value = in.byte();
  if (value < static_cast<std::uint8_t>(first) || value > static_cast<std::uint8_t>(last)) {
    throw Malformed("a value is outside its enumeration");
  }
  return static_cast<Enum>(value);
}

template <class Enum>
void put_enumeration(Encoder& out, Enum value) {
  out.byte(static_cast<std::uint8_t>(value));
}

}  // namespace dumpster
