#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace relay::ldap {

/// What a search filter cannot be used for.
struct FilterFault {
  std::string text;
};

/// A search filter (RFC 4515) with places for the recipient:
/// `%s` the address, or `@domain`; `%u` the local part; `%d` the domain; `%%` a percent sign.
class FilterTemplate {
 public:
  /// Checks the syntax of the whole filter. One without `%s` and `%u` is a fault: it would find the same
  /// entry for everybody.
  static std::variant<FilterTemplate, FilterFault> parse(std::string_view text);

  /// The filter for a key of the directory, whatever it contains escaped (RFC 4515 3). Nothing when the key
  /// has no such part: a whole domain has no local part, `postmaster` alone no domain. Then nothing can
  /// match.
  std::optional<std::string> fill(std::string_view key) const;

  const std::string& text() const { return text_; }
  bool operator==(const FilterTemplate&) const = default;

 private:
  std::string text_;
};

/// `value` as an assertion value of a filter: `*`, `(`, `)`, `\`, NUL, other control characters and every
/// byte above 0x7e as `\XX`.
std::string escaped(std::string_view value);

}  // namespace relay::ldap
