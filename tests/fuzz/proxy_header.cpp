// The first byte chooses the split. The reader takes no byte that it has not asked for, and comes to an end.
#include <algorithm>
#include <string_view>

#include "relay/net/proxy_header.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

using relay::ProxyHeaderReader;

ProxyHeaderReader read(std::string_view input, std::size_t most, std::size_t& taken) {
  ProxyHeaderReader reader;
  taken = 0;
  while (reader.wanted() > 0 && taken < input.size()) {
    HOLDS(reader.state() == ProxyHeaderReader::State::reading);
    const auto piece = std::min({reader.wanted(), most, input.size() - taken});
    reader.feed(input.substr(taken, piece));
    taken += piece;
    HOLDS(taken + reader.wanted() <= 4096 + 16);
  }
  HOLDS((reader.wanted() == 0) == (reader.state() != ProxyHeaderReader::State::reading));
  return reader;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input{reinterpret_cast<const char*>(data) + 1, size - 1};
  std::size_t taken = 0;
  std::size_t taken_in_pieces = 0;
  const auto whole = read(input, input.size() + 1, taken);
  const auto pieces = read(input, data[0] % 13U + 1U, taken_in_pieces);
  HOLDS(whole.state() == pieces.state());
  HOLDS(whole.client() == pieces.client());
  if (whole.state() == ProxyHeaderReader::State::done) HOLDS(taken == taken_in_pieces);
  return 0;
}
