// Paths and parameters of MAIL and RCPT. An address that was taken is one line of valid UTF-8, says the same
// when it is read again, and never carries a source route.
#include <string>

#include "relay/smtp/address.hpp"
#include "relay/smtp/esmtp_parameters.hpp"
#include "relay/smtp/text.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

void check(const std::optional<relay::smtp::Path>& path, bool forward) {
  if (!path) return;
  const auto& address = path->address;
  HOLDS(address.size() <= 254);
  HOLDS(relay::smtp::is_utf8(address));
  for (const char c : address)
    HOLDS(!((c >= 0 && c < ' ') || c == 127));
  if (address.empty()) return;
  HOLDS(address.front() != '@');
  const auto again = '<' + address + '>';
  const auto read = forward ? relay::smtp::parse_forward_path(again) : relay::smtp::parse_reverse_path(again);
  HOLDS(read && read->address == address && read->rest.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto reverse = relay::smtp::parse_reverse_path(text);
  const auto forward = relay::smtp::parse_forward_path(text);
  check(reverse, false);
  check(forward, true);
  relay::smtp::is_client_name(text);
  relay::smtp::base64_decode(text);
  if (reverse) relay::smtp::parse_mail_parameters(reverse->rest, {true, true});
  if (forward) relay::smtp::parse_recipient_parameters(forward->rest, size % 2 == 0);
  return 0;
}
