#include "relay/smtp/header_scanner.hpp"

#include <algorithm>

#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_header = 256 * 1024;
constexpr std::size_t max_line = 64 * 1024;
constexpr std::size_t max_field_name = 64;   // of those that are of interest, with blanks before the colon
constexpr std::size_t max_message_id = 998;  // RFC 5322 2.1.1
constexpr std::size_t max_message_id_field = 8 * 1024;  // comments and folding included
constexpr std::size_t max_received_field = 1024;        // as far as `by` is looked for

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Takes blanks and comments (RFC 5322 3.2.2) off the front; false for a comment that does not end.
bool skip_comments(std::string_view& text) {
  int depth = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (depth > 0 && c == '\\') {
      text.remove_prefix(1);
      if (text.empty()) return false;
    } else if (c == '(') {
      ++depth;
    } else if (depth > 0 && c == ')') {
      --depth;
    } else if (depth == 0 && !is_blank(c)) {
      return true;
    }
    text.remove_prefix(1);
  }
  return depth == 0;
}

}  // namespace

void HeaderScanner::feed(std::string_view bytes) {
  while (!done_ && !bytes.empty()) {
    const auto room = std::min(max_header - total_, max_line - line_size_) + 1;
    const auto seen = bytes.substr(0, room);
    const auto lf = seen.find('\n');
    const auto piece = seen.substr(0, lf == std::string_view::npos ? seen.size() : lf + 1);
    bytes.remove_prefix(piece.size());
    total_ += piece.size();
    line_size_ += piece.size();
    if (total_ > max_header || line_size_ > max_line) {
      done_ = true;
      // A Message-ID that is cut off here is none; a line that begins another field has ended it.
      const bool continued = named_ || piece.front() == ' ' || piece.front() == '\t';
      if (in_message_id_ && continued) message_id_field_.clear();
    } else {
      feed_line(piece, lf != std::string_view::npos);
    }
  }
}

void HeaderScanner::feed_line(std::string_view piece, bool complete) {
  if (!named_) {
    const auto known = line_start_.size();
    line_start_ += piece.substr(0, max_field_name - known);
    begin_field();
    if (named_ && in_message_id_) message_id_field_ += line_start_.substr(0, known);
  }
  const bool room = message_id_field_.size() <= max_message_id_field;
  if (in_message_id_ && named_ && room) message_id_field_ += piece;
  if (in_received_ && named_) {
    received_field_ += piece.substr(0, max_received_field - received_field_.size());
  }
  if (!complete) return;
  if (!named_) done_ = header_ended_ = line_start_ == "\r\n" || line_start_ == "\n";
  line_start_.clear();
  line_size_ = 0;
  named_ = false;
}

/// Finds out what the line is, as soon as enough of it is there.
void HeaderScanner::begin_field() {
  if (line_start_.front() == ' ' || line_start_.front() == '\t') {
    named_ = true;
    return;
  }
  in_message_id_ = false;
  const auto colon = line_start_.find(':');
  if (colon == std::string::npos) return;
  named_ = true;
  auto name = std::string_view{line_start_}.substr(0, colon);
  name = name.substr(0, name.find_last_not_of(" \t") + 1);
  in_message_id_ = same_word(name, "Message-ID") && !has_message_id_;
  has_message_id_ = has_message_id_ || in_message_id_;
  has_date_ = has_date_ || same_word(name, "Date");
  if (names_hub()) ++passes_;
  received_field_.clear();
  in_received_ = same_word(name, "Received");
  if (in_received_) ++received_fields_;
}

/// Whether the Received field read so far was written by this hub: `by` and its name, one word behind the
/// other.
bool HeaderScanner::names_hub() const {
  if (hub_name_.empty()) return false;
  std::string_view text = received_field_;
  bool behind_by = false;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) return false;
    const auto word = text.substr(0, text.find_first_of(" \t\r\n"));
    text.remove_prefix(word.size());
    if (behind_by && same_word(word.substr(0, word.find(';')), hub_name_)) return true;
    behind_by = same_word(word, "by");
  }
}

std::uint32_t HeaderScanner::passes() const {
  return passes_ + (names_hub() ? 1 : 0);
}

std::string HeaderScanner::message_id() const {
  if (message_id_field_.size() > max_message_id_field) return {};
  std::string_view text = message_id_field_;
  text.remove_prefix(std::min(text.find(':') + 1, text.size()));
  if (!skip_comments(text) || text.empty() || text.front() != '<') return {};
  const auto closing = text.find('>');
  if (closing == std::string_view::npos) return {};
  const auto id = text.substr(1, closing - 1);
  text.remove_prefix(closing + 1);
  if (!skip_comments(text) || !text.empty()) return {};
  const bool whole =
      std::none_of(id.begin(), id.end(), [](char c) { return (c >= 0 && c <= ' ') || c == 127 || c == '<'; });
  return whole && id.size() <= max_message_id ? std::string{id} : std::string{};
}

}  // namespace relay::smtp
