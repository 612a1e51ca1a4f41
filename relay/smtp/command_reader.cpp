#include "relay/smtp/command_reader.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t endless_line = 64 * 1024;

}  // namespace

CommandReader::Line CommandReader::read(std::string_view& input) {
  if (done_) {
    held_.clear();
    done_ = false;
  }
  if (input.empty()) return {};
  const auto lf = input.find('\n');
  const auto piece = input.substr(0, lf == std::string_view::npos ? input.size() : lf);
  const bool cr_before = piece.empty() ? last_was_cr_ : piece.back() == '\r';
  input.remove_prefix(lf == std::string_view::npos ? piece.size() : lf + 1);
  if (skipped_ > 0 || held_.size() + piece.size() + 1 > max_command_line) {
    skipped_ += piece.size();
    held_.clear();
  } else if (lf == std::string_view::npos || !held_.empty()) {
    held_.append(piece);
  }
  if (lf == std::string_view::npos) {
    last_was_cr_ = cr_before;
    if (skipped_ > endless_line) return {Kind::endless, {}};
    return {};
  }
  last_was_cr_ = false;
  if (!cr_before) return {Kind::bare_lf, {}};
  if (skipped_ > 0) {
    skipped_ = 0;
    return {Kind::too_long, {}};
  }
  done_ = !held_.empty();
  auto text = done_ ? std::string_view{held_} : piece;
  text.remove_suffix(1);
  return complete(text);
}

CommandReader::Line CommandReader::complete(std::string_view text) {
  if (text.find('\r') != std::string_view::npos || text.find('\0') != std::string_view::npos) {
    return {Kind::forbidden, {}};
  }
  return {Kind::line, text};
}

}  // namespace relay::smtp
