#include "relay/smtp/data_encoder.hpp"

#include "relay/smtp/text_run.hpp"

namespace relay::smtp {

bool DataEncoder::encode(std::string_view bytes, std::string& output) {
  const bool dots = form_ == Form::dots;
  output.reserve(output.size() + bytes.size() + bytes.size() / 64 + 2);
  while (!bytes.empty()) {
    if (state_ == State::cr) {
      if (bytes.front() != '\n') return false;
      bytes.remove_prefix(1);
      output += "\r\n";
      state_ = State::line_start;
      continue;
    }
    if (dots && state_ == State::line_start && bytes.front() == '.') output += '.';
    const auto run = scan_text(bytes, dots);
    output += run.bytes;
    bytes.remove_prefix(run.bytes.size());
    switch (run.stop) {
      case TextRun::Stop::line_end:
        state_ = State::line_start;
        break;
      case TextRun::Stop::text_end:
        state_ = State::text;
        break;
      case TextRun::Stop::pending_cr:
        bytes.remove_prefix(1);
        state_ = State::cr;
        break;
      case TextRun::Stop::bare_cr:
      case TextRun::Stop::bare_lf:
      case TextRun::Stop::nul:
        return false;
    }
  }
  return true;
}

bool DataEncoder::finish(std::string& output) {
  if (state_ == State::cr) return false;
  if (form_ == Form::verbatim) return true;
  if (state_ == State::text) output += "\r\n";
  output += ".\r\n";
  return true;
}

}  // namespace relay::smtp
