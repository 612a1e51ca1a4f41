// The first byte chooses framing and split. Nothing but CRLF.CRLF ends data, what is passed on is clean, and
// the split changes nothing.
#include <string>

#include "relay/smtp/data_decoder.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

using relay::smtp::DataDecoder;

struct Outcome {
  std::string text;
  std::size_t consumed = 0;
  bool fault = false;
  bool ended = false;
};

Outcome decode(std::string_view input, DataDecoder::Framing framing, std::size_t piece) {
  DataDecoder decoder{framing};
  Outcome outcome;
  while (!input.empty() && !outcome.ended) {
    const std::string copy{input.substr(0, piece)};
    std::string_view left = copy;
    for (auto step = decoder.decode(left); step.kind != DataDecoder::Kind::more;
         step = decoder.decode(left)) {
      if (step.kind == DataDecoder::Kind::bytes) outcome.text += step.bytes;
      outcome.ended = step.kind == DataDecoder::Kind::end;
      outcome.fault = outcome.fault || (step.kind != DataDecoder::Kind::bytes && !outcome.ended);
      if (outcome.ended) break;
    }
    outcome.consumed += copy.size() - left.size();
    input.remove_prefix(copy.size() - left.size());
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto framing = (data[0] & 1U) != 0 ? DataDecoder::Framing::counted : DataDecoder::Framing::dots;
  const std::string_view input{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = decode(input, framing, input.size() + 1);
  const auto pieces = decode(input, framing, (data[0] >> 1U) % 17U + 1U);
  HOLDS(whole.consumed == pieces.consumed && whole.fault == pieces.fault && whole.ended == pieces.ended);
  if (!whole.fault) HOLDS(whole.text == pieces.text);
  HOLDS(whole.text.find('\0') == std::string::npos);
  if (framing == DataDecoder::Framing::counted) HOLDS(!whole.ended);
  if (!whole.ended) return 0;
  // The CRLF of the DATA command counts as the first one.
  const auto seen = "\r\n" + std::string{input.substr(0, whole.consumed)};
  HOLDS(seen.ends_with("\r\n.\r\n"));
  HOLDS(seen.find("\r\n.\r\n") == seen.size() - 5);
  return 0;
}
