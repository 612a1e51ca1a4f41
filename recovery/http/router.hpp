#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "recovery/http/message.hpp"

namespace recovery::http {

/// Finds the handler for a method and a path. Filled before the server starts, not changed afterwards.
class Router {
 public:
  struct Route {
    std::string method;
    std::vector<std::string> segments;  ///< `{name}` matches one segment of any text
    std::size_t max_body = 0;
    Handler handler;
    Guard guard;  ///< may be empty
  };
  struct Found {
    const Route* route = nullptr;
    std::map<std::string, std::string> parameters;
  };
  struct NotFound {};
  /// The path has routes, for other methods.
  struct OtherMethods {
    std::string allowed;  ///< for the field `Allow`
  };
  /// The path cannot be decoded: a broken percent sign, a control character.
  struct Malformed {};
  using Match = std::variant<Found, NotFound, OtherMethods, Malformed>;

  /// `path`: e.g. `/v1/clusters/{c}`. A body of more than `max_body` bytes is refused with `413` before it is
  /// read. A route for GET serves HEAD, too: its handler answers, the body stays here.
  void add(std::string method, std::string_view path, Handler handler, std::size_t max_body = 0);

  /// The same; `segments` are made from `path`.
  void add(std::string_view path, Route route);
  const std::vector<Route>& routes() const { return routes_; }

  /// `path` without query, still percent-encoded. A parameter is never empty and at most 255 bytes; what is
  /// longer is not found. Pointers stay valid as long as the router.
  Match find(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

/// Decodes `%xx`; nothing for a broken sequence or a control character. A plus stays a plus, as in RFC 3986,
/// so that the offset of an instant need not be encoded.
std::optional<std::string> percent_decode(std::string_view text);

/// `a=1&b=2`, decoded; nothing when it cannot be.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text);

}  // namespace recovery::http
