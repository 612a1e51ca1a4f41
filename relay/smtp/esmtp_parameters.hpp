#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "dumpster/message.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {

/// What depends on the session: without it the parameter is not known.
struct OfferedExtensions {
  bool require_tls = false;
  bool authentication = false;
};

/// Parameters of MAIL (RFC 1870, 6152, 6531, 3461, 8689). AUTH= (RFC 4954 5) is checked and passed over:
/// nobody is trusted to speak for another.
struct MailParameters {
  std::optional<std::uint64_t> size;
  std::optional<dumpster::BodyType> body_type;
  bool smtputf8 = false;
  bool require_tls = false;
  bool auth = false;
  dumpster::NotifyReturn notify_return = dumpster::NotifyReturn::unspecified;
  std::optional<std::string> envelope_id;  ///< still xtext
};

/// Parameters of RCPT (RFC 3461).
struct RecipientParameters {
  std::uint8_t notify = 0;
  std::optional<std::string> original_recipient;  ///< still `type;xtext`
};

/// Reads what follows the path, beginning with a space or empty. A reply says what is wrong: 555 5.5.4 for a
/// parameter that is not known, 501 5.5.4 for a bad value or one given twice.
std::variant<MailParameters, Reply> parse_mail_parameters(std::string_view text,
                                                          OfferedExtensions offered = {});
/// `smtputf8`: ORCPT may hold UTF-8 of the type `utf-8` (RFC 6533).
std::variant<RecipientParameters, Reply> parse_recipient_parameters(std::string_view text, bool smtputf8);

}  // namespace relay::smtp
