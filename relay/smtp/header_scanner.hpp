#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace relay::smtp {

/// Looks at the header of a message while it streams by. It looks at 256 KiB at the most, and no further than
/// a line of more than 64 KiB; lines that are no fields are passed over. Holds a few KiB. 8-bit safe, any
/// split of the input gives the same. Not thread-safe.
class HeaderScanner {
 public:
  /// `hub_name`: whose Received fields are counted as passes; empty: nobody's.
  explicit HeaderScanner(std::string hub_name = {}) : hub_name_(std::move(hub_name)) {}

  /// The next bytes of the message; what lies behind the header is not looked at.
  void feed(std::string_view bytes);
  /// Whether nothing more is looked at.
  bool done() const { return done_; }
  /// Whether the empty line behind the header was seen: nothing of it was passed over.
  bool header_ended() const { return header_ended_; }

  /// Of the first Message-ID field (RFC 5322 3.6.4): without angle brackets, unfolded, comments left out.
  /// Empty when there is none, or it is malformed or longer than 998 octets. Complete when the header has
  /// been fed.
  std::string message_id() const;
  bool has_message_id() const { return has_message_id_; }
  bool has_date() const { return has_date_; }
  /// How many hops the message has behind it (RFC 5321 6.3).
  std::uint32_t received_fields() const { return received_fields_; }
  /// How often it has been at this hub before: Received fields `by` its name. Complete when the header has
  /// been fed.
  std::uint32_t passes() const;

 private:
  void feed_line(std::string_view piece, bool complete);
  void begin_field();
  bool names_hub() const;

  std::string hub_name_;
  std::string line_start_;     ///< of the line being read, as far as a field's name may reach
  std::size_t line_size_ = 0;  ///< octets of the line so far
  std::size_t total_ = 0;
  bool named_ = false;          ///< the line's field is known, or the line continues one
  bool in_message_id_ = false;  ///< the field being read is the first Message-ID
  std::string message_id_field_;
  bool has_message_id_ = false;
  bool has_date_ = false;
  std::uint32_t received_fields_ = 0;
  bool in_received_ = false;
  std::string received_field_;  ///< the beginning of the one being read
  std::uint32_t passes_ = 0;    ///< of the fields that are over
  bool done_ = false;
  bool header_ended_ = false;
};

}  // namespace relay::smtp
