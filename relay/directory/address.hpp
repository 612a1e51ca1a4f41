#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay {

/// An address taken apart for matching. Quoting that is not needed is gone: `"alice"@x` and `alice@x` are the
/// same (RFC 5321 4.1.2).
struct Address {
  std::string local;   ///< without quotes and escapes, detail included, in the case it was given
  std::string domain;  ///< in lower case; empty for `postmaster` without a domain

  /// The local part in front of the first `+`; all of it when there is none, or nothing in front of it.
  std::string_view base() const;
  /// What stands behind that `+`; empty when there is none.
  std::string_view detail() const;
  /// Whether a `@domain` line may match: a dot-atom or a quoted string without `%`, `!`, `@` (which every
  /// source route has) and control characters, so that the next hop cannot be made to relay.
  bool plain() const;
};

/// Nothing for what is not `local-part@domain` or `postmaster` (RFC 5321 4.1.2, 4.5.1; RFC 6531 3.3 for
/// UTF-8). The domain is what stands behind the last `@` outside quotes.
std::optional<Address> address_from(std::string_view text);

/// Text form of a local part and a domain, quoted only where it has to be.
std::string to_address(std::string_view local, std::string_view domain);

/// ASCII letters in lower case, everything else as it is.
std::string lower_case(std::string_view text);

}  // namespace relay
