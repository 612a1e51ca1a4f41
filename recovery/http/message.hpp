#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace recovery::http {

/// A request, read to its end.
struct Request {
  std::string method;                                       ///< as sent, e.g. `GET`
  std::string path;                                         ///< without the query, still percent-encoded
  std::vector<std::pair<std::string, std::string>> query;   ///< decoded, in the order given
  std::map<std::string, std::string> parameters;            ///< of the route's path, decoded
  std::vector<std::pair<std::string, std::string>> fields;  ///< header fields as sent
  std::string body;
  std::string peer;  ///< address of the client, or `unix`; for the log

  /// The first header field of that name in any case.
  std::optional<std::string_view> field(std::string_view name) const;
  /// A parameter of the path; empty when the route has none of that name.
  const std::string& parameter(const std::string& name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  ///< empty: none, for an answer without a body
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  ///< further header fields
};

/// The name of a status code, e.g. `Not Found`.
std::string_view reason_of(int status);

/// An error as RFC 9457 describes it. `detail` is for people; `members` are added to the document.
Response problem(int status, std::string_view detail, boost::json::object members = {});

/// The client is gone or did not take the answer in time: nothing more can be sent. Handlers let it pass.
class ConnectionLost : public std::runtime_error {
 public:
  ConnectionLost() : std::runtime_error("connection lost") {}
};

/// Where a handler puts its answer: either `send` once, or `begin`, any number of `write`, then `end`. A
/// stream that is begun and not ended is cut, so that the client sees that it is not whole. All of them throw
/// `ConnectionLost`.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual boost::asio::awaitable<void> send(Response response) = 0;
  /// Sends the head of a stream; `body` goes first when there is one.
  virtual boost::asio::awaitable<void> begin(Response head) = 0;
  /// Returns when the bytes are with the operating system: a slow client holds the handler back.
  virtual boost::asio::awaitable<void> write(std::string bytes) = 0;
  virtual boost::asio::awaitable<void> end() = 0;
  /// Whether the head of an answer is out: too late for another one.
  virtual bool begun() const = 0;
};

/// Looks at the head of a request before its large body is read; refuses it, or lets it pass. `query` and
/// `body` are empty then. Must not throw.
using Guard = std::function<std::optional<Response>(const Request& head)>;

/// Answers one request. What it throws becomes `500` without details, and a line of the log.
using Handler = std::function<boost::asio::awaitable<void>(Request, Responder&)>;

}  // namespace recovery::http
