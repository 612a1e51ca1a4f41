#include "relay/smtp/data_decoder.hpp"

#include <cstring>

namespace relay::smtp {
namespace {

const char* find(const char* begin, const char* end, char wanted) {
  if (begin == end) return nullptr;
  return static_cast<const char*>(std::memchr(begin, wanted, static_cast<std::size_t>(end - begin)));
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

DataDecoder::Step DataDecoder::decode(std::string_view& input) {
  while (!input.empty()) {
    switch (state_) {
      case State::line_start:
        if (framing_ == Framing::dots && input.front() == '.') {
          input.remove_prefix(1);
          state_ = State::dot;
          break;
        }
        [[fallthrough]];
      case State::text: {
        state_ = State::text;
        if (discarding_) {
          skip_run(input);
          break;
        }
        auto step = decode_run(input);
        if (step.kind != Kind::bytes || !step.bytes.empty()) return step;
        break;
      }
      case State::dot:
        if (input.front() == '\r') {
          input.remove_prefix(1);
          state_ = State::dot_cr;
        } else {
          state_ = State::text;
        }
        break;
      case State::dot_cr:
        state_ = State::text;
        if (input.front() == '\n') {
          input.remove_prefix(1);
          state_ = State::line_start;
          return {Kind::end, {}};
        }
        if (!discarding_) return fault(Kind::bare_cr);
        break;
      case State::cr:
        state_ = State::text;
        if (input.front() == '\n') {
          input.remove_prefix(1);
          state_ = State::line_start;
          if (!discarding_) return {Kind::bytes, "\r\n"};
        } else if (!discarding_) {
          return fault(Kind::bare_cr);
        }
        break;
    }
  }
  return {};
}

DataDecoder::Step DataDecoder::fault(Kind kind) {
  discarding_ = true;
  return {kind, {}};
}

/// One run: as many whole lines as there are, up to a line that begins with a dot.
DataDecoder::Step DataDecoder::decode_run(std::string_view& input) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* line = begin;
  auto take = [&](const char* until, State state) {
    input.remove_prefix(static_cast<std::size_t>(until - begin));
    state_ = state;
  };
  while (line != end) {
    if (line != begin && *line == '.' && framing_ == Framing::dots) break;
    const char* const lf = find(line, end, '\n');
    const char* const stop = lf != nullptr ? lf : end;
    const char* const cr = find(line, stop, '\r');
    const bool clean = find(line, stop, '\0') == nullptr;
    if (clean && lf != nullptr && cr != nullptr && cr + 1 == lf) {
      line = lf + 1;
      continue;
    }
    if (clean && lf == nullptr && (cr == nullptr || cr == end - 1)) {
      take(end, cr == nullptr ? State::text : State::cr);
      return {Kind::bytes, between(begin, cr == nullptr ? end : cr)};
    }
    // The rest of the line is looked at again by `skip_run`, for the end of data alone.
    take(line, State::text);
    if (!clean) return fault(Kind::nul);
    return fault(cr != nullptr ? Kind::bare_cr : Kind::bare_lf);
  }
  take(line, State::line_start);
  return {Kind::bytes, between(begin, line)};
}

/// As `decode_run`, to the end of one line, with no eye for faults.
void DataDecoder::skip_run(std::string_view& input) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* const lf = find(begin, end, '\n');
  if (lf == nullptr) {
    state_ = end[-1] == '\r' ? State::cr : State::text;
    input = {};
    return;
  }
  state_ = lf != begin && lf[-1] == '\r' ? State::line_start : State::text;
  input.remove_prefix(static_cast<std::size_t>(lf + 1 - begin));
}

}  // namespace relay::smtp
