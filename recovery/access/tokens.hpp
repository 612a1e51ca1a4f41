#pragma once

#include <array>
#include <boost/system/result.hpp>
#include <cstddef>
#include <filesystem>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recovery/access/permission.hpp"

namespace recovery {

/// Everything that is wrong with a tokens file. Never shows a token.
struct TokensFaults {
  struct Fault {
    std::size_t line = 0;  ///< from 1; 0: the file as a whole
    std::string text;
  };
  std::vector<Fault> faults;

  /// One `line N: …` a line, for an operator.
  std::string text() const;
};

[[noreturn]] void throw_exception_from_error(const TokensFaults& faults, const boost::source_location&);

template <class T>
using TokensResult = boost::system::result<T, TokensFaults>;

/// Who may use the recovery API. Immutable and thread-safe. Holds digests of the tokens, not the tokens.
class Tokens {
 public:
  /// Whose token it is. Takes the same time whatever `token` says (RFC 6750 5.2: timing tells nothing about
  /// one).
  std::optional<Identity> find(std::string_view token) const;

  /// Characters of the shortest token; 0 when there is none.
  std::size_t shortest() const { return shortest_; }

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Known {
    Digest digest;
    Identity identity;
  };
  std::vector<Known> known_;
  std::size_t shortest_ = 0;

  static Digest digest_of(std::string_view token);
  friend TokensResult<Tokens> read_tokens(std::istream& in);
};

/// Reads lines `TOKEN ROLE SCOPE`; `#` starts a comment. Roles: `agent`, `admin`, `read`. Scopes: a cluster,
/// `cluster/node` or `*`. A token has up to 512 characters of RFC 6750's b64token. All faults come together.
TokensResult<Tokens> read_tokens(std::istream& in);

/// The same from a file. A file that group or others can read, write or execute is refused, and what is not a
/// regular file.
TokensResult<Tokens> load_tokens(const std::filesystem::path& path);

}  // namespace recovery
