#include "relay/smtp/data_decoder.hpp"

#include "relay/smtp/text_run.hpp"

namespace relay::smtp {
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
  const auto run = scan_text(input, framing_ == Framing::dots);
  input.remove_prefix(run.bytes.size());
  if (!run.bytes.empty()) state_ = State::text;
  switch (run.stop) {
    case TextRun::Stop::line_end:
      state_ = State::line_start;
      break;
    case TextRun::Stop::text_end:
      state_ = State::text;
      break;
    case TextRun::Stop::pending_cr:
      input.remove_prefix(1);
      state_ = State::cr;
      break;
    // What is before a fault is passed on first: however the input is split, a limit on the size that lies
    // before it is met before it. The byte at fault is looked at again, at last by `skip_run` for the end of
    // data alone.
    case TextRun::Stop::bare_cr:
      if (run.bytes.empty()) return fault(Kind::bare_cr);
      break;
    case TextRun::Stop::bare_lf:
      if (run.bytes.empty()) return fault(Kind::bare_lf);
      break;
    case TextRun::Stop::nul:
      if (run.bytes.empty()) return fault(Kind::nul);
      break;
  }
  return {Kind::bytes, run.bytes};
}

/// As `decode_run`, to the end of one line, with no eye for faults.
void DataDecoder::skip_run(std::string_view& input) {
  const auto lf = input.find('\n');
  if (lf == std::string_view::npos) {
    state_ = input.back() == '\r' ? State::cr : State::text;
    input = {};
    return;
  }
  state_ = lf > 0 && input[lf - 1] == '\r' ? State::line_start : State::text;
  input.remove_prefix(lf + 1);
}

}  // namespace relay::smtp
