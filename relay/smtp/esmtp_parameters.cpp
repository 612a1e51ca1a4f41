#include "relay/smtp/esmtp_parameters.hpp"

#include <algorithm>
#include <charconv>

#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_envelope_id = 100;         // RFC 3461 4.4
constexpr std::size_t max_original_recipient = 500;  // RFC 3461 4.2
constexpr std::size_t max_size_digits = 20;          // RFC 1870 3

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;
};

/// Takes the next parameter off `text`; false at the end.
bool next_parameter(std::string_view& text, Parameter& parameter) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty()) return false;
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  const auto equals = word.find('=');
  parameter.keyword = word.substr(0, equals);
  parameter.value.reset();
  if (equals != std::string_view::npos) parameter.value = word.substr(equals + 1);
  return true;
}

Reply malformed(std::string_view keyword) {
  return {501, "5.5.4", std::string{keyword} + " has no valid value"};
}
Reply unknown() {
  return {555, "5.5.4", "parameter not known or not offered"};
}

std::optional<std::uint64_t> size_of(std::string_view value) {
  std::uint64_t size = 0;
  const char* const end = value.data() + value.size();
  if (value.empty() || value.size() > max_size_digits) return std::nullopt;
  if (!std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  // Twenty digits can be more than 64 bits hold; that is a valid size, and too large for anyone.
  if (std::from_chars(value.data(), end, size).ec == std::errc::result_out_of_range) return UINT64_MAX;
  return size;
}

std::optional<Reply> read_size(const Parameter& parameter, MailParameters& into) {
  const auto size = parameter.value ? size_of(*parameter.value) : std::nullopt;
  if (!size || into.size) return malformed("SIZE");
  into.size = size;
  return std::nullopt;
}

std::optional<Reply> read_body(const Parameter& parameter, MailParameters& into) {
  if (!parameter.value || into.body_type) return malformed("BODY");
  if (same_word(*parameter.value, "7BIT")) {
    into.body_type = dumpster::BodyType::seven_bit;
  } else if (same_word(*parameter.value, "8BITMIME")) {
    into.body_type = dumpster::BodyType::eight_bit_mime;
  } else {
    return malformed("BODY");
  }
  return std::nullopt;
}

std::optional<Reply> read_return(const Parameter& parameter, MailParameters& into) {
  if (!parameter.value || into.notify_return != dumpster::NotifyReturn::unspecified) return malformed("RET");
  if (same_word(*parameter.value, "FULL")) {
    into.notify_return = dumpster::NotifyReturn::full;
  } else if (same_word(*parameter.value, "HDRS")) {
    into.notify_return = dumpster::NotifyReturn::headers;
  } else {
    return malformed("RET");
  }
  return std::nullopt;
}

std::optional<Reply> read_auth(const Parameter& parameter, MailParameters& into) {
  if (!parameter.value || parameter.value->empty() || into.auth || !is_xtext(*parameter.value))
    return malformed("AUTH");
  into.auth = true;
  return std::nullopt;
}

std::optional<Reply> read_mail_parameter(const Parameter& parameter, OfferedExtensions offered,
                                         MailParameters& into) {
  if (same_word(parameter.keyword, "SIZE")) return read_size(parameter, into);
  if (same_word(parameter.keyword, "BODY")) return read_body(parameter, into);
  if (same_word(parameter.keyword, "RET")) return read_return(parameter, into);
  if (same_word(parameter.keyword, "SMTPUTF8")) {
    if (parameter.value || into.smtputf8) return malformed("SMTPUTF8");
    into.smtputf8 = true;
    return std::nullopt;
  }
  if (offered.require_tls && same_word(parameter.keyword, "REQUIRETLS")) {
    if (parameter.value || into.require_tls) return malformed("REQUIRETLS");
    into.require_tls = true;
    return std::nullopt;
  }
  if (offered.authentication && same_word(parameter.keyword, "AUTH")) return read_auth(parameter, into);
  if (same_word(parameter.keyword, "ENVID")) {
    const auto& value = parameter.value;
    if (into.envelope_id || !value || value->empty() || value->size() > max_envelope_id ||
        !is_xtext(*value)) {
      return malformed("ENVID");
    }
    into.envelope_id = std::string{*value};
    return std::nullopt;
  }
  return unknown();
}

/// `NEVER`, or `SUCCESS`, `FAILURE`, `DELAY` with commas between; 0 when malformed.
std::uint8_t notify_of(std::string_view value) {
  namespace notify = dumpster::notify;
  if (same_word(value, "NEVER")) return notify::never;
  std::uint8_t bits = 0;
  while (true) {
    const auto word = value.substr(0, value.find(','));
    if (same_word(word, "SUCCESS")) {
      bits |= notify::success;
    } else if (same_word(word, "FAILURE")) {
      bits |= notify::failure;
    } else if (same_word(word, "DELAY")) {
      bits |= notify::delay;
    } else {
      return 0;
    }
    if (word.size() == value.size()) return bits;
    value.remove_prefix(word.size() + 1);
  }
}

/// `addr-type ";" xtext`.
bool is_original_recipient(std::string_view value, bool smtputf8) {
  const auto semicolon = value.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0 || value.size() > max_original_recipient)
    return false;
  const auto type = value.substr(0, semicolon);
  const auto address = value.substr(semicolon + 1);
  const bool atom = std::all_of(type.begin(), type.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
  if (!atom || address.empty()) return false;
  if (!smtputf8 || !same_word(type, "utf-8") || !has_non_ascii(address)) return is_xtext(address);
  if (!is_utf8(address)) return false;
  return std::none_of(address.begin(), address.end(),
                      [](char c) { return (c >= 0 && c <= ' ') || c == 127 || c == '=' || c == '+'; });
}

std::optional<Reply> read_recipient_parameter(const Parameter& parameter, bool smtputf8,
                                              RecipientParameters& into) {
  const auto& value = parameter.value;
  if (same_word(parameter.keyword, "NOTIFY")) {
    const auto bits = value && into.notify == 0 ? notify_of(*value) : std::uint8_t{0};
    if (bits == 0) return malformed("NOTIFY");
    into.notify = bits;
    return std::nullopt;
  }
  if (same_word(parameter.keyword, "ORCPT")) {
    if (into.original_recipient || !value || !is_original_recipient(*value, smtputf8))
      return malformed("ORCPT");
    into.original_recipient = std::string{*value};
    return std::nullopt;
  }
  return unknown();
}

/// Between the path and the first parameter there is a space.
bool separated(std::string_view text) {
  return text.empty() || text.front() == ' ';
}

Reply not_separated() {
  return {501, "5.5.4", "a space is wanted behind the path"};
}

}  // namespace

std::variant<MailParameters, Reply> parse_mail_parameters(std::string_view text, OfferedExtensions offered) {
  MailParameters parameters;
  Parameter parameter;
  if (!separated(text)) return not_separated();
  while (next_parameter(text, parameter)) {
    if (auto refusal = read_mail_parameter(parameter, offered, parameters)) return *refusal;
  }
  return parameters;
}

std::variant<RecipientParameters, Reply> parse_recipient_parameters(std::string_view text, bool smtputf8) {
  RecipientParameters parameters;
  Parameter parameter;
  if (!separated(text)) return not_separated();
  while (next_parameter(text, parameter)) {
    if (auto refusal = read_recipient_parameter(parameter, smtputf8, parameters)) return *refusal;
  }
  return parameters;
}

}  // namespace relay::smtp
