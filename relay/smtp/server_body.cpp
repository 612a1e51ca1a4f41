#include <algorithm>
#include <charconv>

#include "relay/smtp/server_state.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

Reply too_large() {
  return {552, "5.3.4", "message too large"};
}
Reply bad_line_end() {
  return {554, "5.6.0", "a CR or LF that stands alone is not allowed in a message"};
}
Reply nul_inside() {
  return {554, "5.6.0", "NUL is not allowed in a message"};
}

struct Chunk {
  std::uint64_t size = 0;
  bool last = false;
};

/// `chunk-size [SP "LAST"]` (RFC 3030 2).
std::optional<Chunk> parse_chunk(std::string_view argument) {
  Chunk chunk;
  const char* const end = argument.data() + argument.size();
  const auto digits = std::from_chars(argument.data(), end, chunk.size);
  if (digits.ec != std::errc{}) return std::nullopt;
  const std::string_view rest{digits.ptr, static_cast<std::size_t>(end - digits.ptr)};
  chunk.last =
      rest.size() > 1 && rest.front() == ' ' && same_word(rest.substr(rest.find_first_not_of(' ')), "LAST");
  if (!rest.empty() && !chunk.last) return std::nullopt;
  return chunk;
}

}  // namespace

void ServerMachine::State::data() {
  if (body != Body::none) return refuse({503, "5.5.1", "the message has begun with BDAT"}, "sequence");
  if (!in_transaction) return refuse({503, "5.5.1", "send MAIL first"}, "sequence");
  if (envelope.recipients.empty()) {
    return refuse({lmtp() ? 503 : 554, "5.5.1", "no valid recipients"}, "sequence");
  }
  ask(Question::data, BeginMessage{});
}

/// The octets behind BDAT are taken even when the command is refused: they are no commands (RFC 3030 2).
void ServerMachine::State::bdat(std::string_view argument) {
  const auto chunk = parse_chunk(argument);
  if (!chunk) {
    act(Refused{"syntax"});
    say({501, "5.5.4", "malformed chunk size"});
    return close();
  }
  chunk_left = chunk->size;
  chunk_last = chunk->last;
  phase = Phase::chunk;
  if (!in_transaction || envelope.recipients.empty() || body == Body::dropped) {
    act(Refused{"sequence"});
    verdict = Reply{503, "5.5.1",
                    in_transaction && body == Body::dropped ? "the message was refused, send RSET"
                                                            : "no valid recipients"};
    return;
  }
  if (body == Body::begun) return;
  chunked = true;
  ask(Question::chunk, BeginMessage{});
}

void ServerMachine::State::answer_body(const Reply& reply) {
  const bool accepted = reply.code < 300;
  if (question == Question::data && !accepted) return count_refusal(reply);
  if (question == Question::data) say({354, {}, "go on, end with a line of one dot"});
  phase = question == Question::data ? Phase::data : Phase::chunk;
  decoder =
      DataDecoder{question == Question::data ? DataDecoder::Framing::dots : DataDecoder::Framing::counted};
  body_size = 0;
  body = accepted ? Body::begun : Body::dropped;
  if (!accepted) verdict = reply;
}

void ServerMachine::State::drop(Reply why, std::string_view reason) {
  act(DropMessage{reason});
  verdict = std::move(why);
  body = Body::dropped;
  decoder.discard();
}

void ServerMachine::State::take_step(const DataDecoder::Step& step) {
  switch (step.kind) {
    case DataDecoder::Kind::bytes:
      body_size += step.bytes.size();
      if (body_size > settings.max_message_size) return drop(too_large(), "size");
      return act(BodyBytes{step.bytes});
    case DataDecoder::Kind::bare_cr:
    case DataDecoder::Kind::bare_lf:
      return drop(bad_line_end(), "bare_line_end");
    case DataDecoder::Kind::nul:
      return drop(nul_inside(), "nul");
    case DataDecoder::Kind::end:
      return end_of_message();
    case DataDecoder::Kind::more:
      break;
  }
}

void ServerMachine::State::read_data() {
  take_step(decoder.decode(rest));
}

void ServerMachine::State::read_chunk() {
  if (chunk_left == 0) return end_of_chunk();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left, rest.size()));
  auto piece = rest.substr(0, size);
  if (body != Body::begun || verdict) {
    piece = {};
  } else {
    take_step(decoder.decode(piece));
  }
  const auto taken = size - piece.size();
  chunk_left -= taken;
  if (phase == Phase::chunk) rest.remove_prefix(taken);
}

void ServerMachine::State::end_of_chunk() {
  phase = Phase::command;
  if (!verdict && chunk_last && !decoder.may_end()) drop(bad_line_end(), "bare_line_end");
  if (chunk_last) return end_of_message();
  if (!verdict) return say({250, "2.0.0", "chunk received"});
  const auto reply = *std::exchange(verdict, std::nullopt);
  if (!too_many_errors()) say(reply);
}

/// The whole message is read: good ones go to the owner, the refused ones are answered here.
void ServerMachine::State::end_of_message() {
  phase = Phase::command;
  if (!verdict) return ask(Question::message, EndMessage{});
  const auto reply = *verdict;
  const auto replies = lmtp() ? std::max<std::size_t>(envelope.recipients.size(), 1) : 1;
  body = Body::none;
  reset();
  if (too_many_errors()) return;
  for (std::size_t i = 0; i < replies; ++i)
    say(reply);
}

}  // namespace relay::smtp
