#include "relay/smtp/reply_parser.hpp"

#include <algorithm>
#include <utility>

namespace relay::smtp {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The code at the front of a line, 0 when there is none.
int code_of(std::string_view line) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) || !is_digit(line[2])) return 0;
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/// Octets of `class.subject.detail` at the front of `text`, 0 when there is none or its class is not that of
/// the code.
std::size_t enhanced_code(std::string_view text, int code) {
  if (text.size() < 5 || text[0] - '0' != code / 100 || text[0] == '3' || text[1] != '.') return 0;
  std::size_t at = 2;
  for (int part = 0; part < 2; ++part) {
    const auto start = at;
    while (at < text.size() && is_digit(text[at]))
      ++at;
    if (at == start || at - start > 3) return 0;
    if (part == 0 && (at >= text.size() || text[at++] != '.')) return 0;
  }
  return at == text.size() || text[at] == ' ' ? at : 0;
}

void append_printable(std::string& output, std::string_view text) {
  for (const char c : text)
    output.push_back((c >= 0 && c < ' ') || c == 127 ? '?' : c);
}

}  // namespace

ReplyParser::Status ReplyParser::next(Reply& reply) {
  while (true) {
    const auto lf = unread_.find('\n', at_);
    const auto end = lf == std::string::npos ? unread_.size() : lf + 1;
    if (reply_size_ + (end - at_) > max_reply) return Status::malformed;
    if (lf == std::string::npos) {
      unread_.erase(0, at_);
      at_ = 0;
      return Status::incomplete;
    }
    auto line = std::string_view{unread_}.substr(at_, lf - at_);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    reply_size_ += end - at_;
    const auto status = take_line(line, reply);
    if (status == Status::malformed) return status;
    at_ = end;
    if (status == Status::reply) return status;
  }
}

ReplyParser::Status ReplyParser::take_line(std::string_view line, Reply& reply) {
  const int code = code_of(line);
  const bool first = partial_.code == 0;
  if (code == 0 || (!first && code != partial_.code)) return Status::malformed;
  const bool last = line.size() < 4 || line[3] == ' ';
  auto text = line.substr(std::min<std::size_t>(line.size(), 4));
  const auto enhanced = enhanced_code(text, code);
  if (first) {
    partial_.code = code;
    partial_.enhanced = text.substr(0, enhanced);
  } else {
    partial_.text += '\n';
  }
  if (enhanced > 0) text.remove_prefix(std::min(enhanced + 1, text.size()));
  append_printable(partial_.text, text);
  if (!last) return Status::incomplete;
  reply = std::exchange(partial_, Reply{0, {}, {}});
  reply_size_ = 0;
  return Status::reply;
}

}  // namespace relay::smtp
