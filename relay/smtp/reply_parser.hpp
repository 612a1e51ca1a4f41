#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {

/// The most octets of one reply, over all its lines.
inline constexpr std::size_t max_reply = 64 * 1024;

/// Cuts replies (RFC 5321 4.2) out of what a next hop sends. Lines of a reply are joined with LF, enhanced
/// codes (RFC 2034) are taken off each of them. Control characters become `?`. Not thread-safe.
class ReplyParser {
 public:
  enum class Status : std::uint8_t {
    incomplete,
    reply,
    malformed,  ///< no code, codes that differ between lines, or more than `max_reply` octets: for good
  };

  void feed(std::string_view bytes) { unread_.append(bytes); }
  Status next(Reply& reply);
  /// Whether every byte fed belongs to a reply that was given.
  bool empty() const { return at_ == unread_.size() && reply_size_ == 0; }

 private:
  Status take_line(std::string_view line, Reply& reply);

  std::string unread_;
  std::size_t at_ = 0;          ///< start of the line that is read next
  std::size_t reply_size_ = 0;  ///< octets of the reply's lines so far
  Reply partial_{0, {}, {}};    ///< code 0: no line of it yet
};

}  // namespace relay::smtp
