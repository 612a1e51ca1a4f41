#include "recovery/http/session.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <type_traits>

#include "metrics/log.hpp"
#include "recovery/http/body_admission.hpp"
#include "recovery/http/deadline.hpp"
#include "recovery/http/wire.hpp"

namespace recovery::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<Socket&>;

constexpr std::size_t buffer_size = 128 * 1024;
// Read and dropped, so that the connection can go on behind a 404.
constexpr std::size_t unrouted_body = std::size_t{64} * 1024;
// What a refused client may still send before its connection is closed: closing earlier would take the answer
// from it.
constexpr std::size_t most_drained = std::size_t{4} << 20U;
constexpr std::chrono::milliseconds draining{2000};

/// Ends a handler whose answer to HEAD is out: what it would still write nobody wants.
class HeadAnswered : public std::exception {};

/// For mistakes of handlers.
void require(bool holds, const char* rule) {
  if (!holds) throw std::logic_error(rule);
}

template <class Stream>
class SessionOn final : public Session, public Responder {
 public:
  SessionOn(Socket socket, std::shared_ptr<asio::ssl::context> tls, std::string peer, const Router& router,
            const ServerSettings& settings, LargeBodies& bodies)
      : socket_(std::move(socket)),
        tls_(std::move(tls)),
        stream_(make_stream()),
        peer_(std::move(peer)),
        router_(router),
        settings_(settings),
        bodies_(bodies),
        deadline_(socket_.get_executor(), [this] { cancel(); }) {}

  asio::awaitable<void> run() override;
  void finish() override {
    finishing_ = true;
    if (!serving_) cut();
  }
  void cut() override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::optional<TimePoint> waiting_since() const override { return waiting_since_; }
  asio::awaitable<void> send(Response response) override;
  asio::awaitable<void> begin(Response head) override;
  asio::awaitable<void> write(std::string bytes) override;
  asio::awaitable<void> end() override;
  bool begun() const override { return begun_; }

 private:
  static constexpr bool is_tls = std::is_same_v<Stream, TlsStream>;
  using Held = std::conditional_t<is_tls, TlsStream, Socket&>;

  Held make_stream() {
    if constexpr (is_tls) {
      return TlsStream{socket_, *tls_};
    } else {
      return socket_;
    }
  }
  void cancel() {
    error_code ignored;
    socket_.cancel(ignored);
  }

  asio::awaitable<bool> handshake();
  asio::awaitable<void> serve();
  /// Waits for a request to begin; whether it did.
  asio::awaitable<bool> first_bytes();
  /// Reads, answers; whether another request may follow.
  asio::awaitable<bool> one_request();
  asio::awaitable<error_code> read_body(Parser& parser, std::size_t max_body);
  asio::awaitable<void> refuse(Response response);
  asio::awaitable<void> dispatch(Request request, Router::Match match, std::string target);
  asio::awaitable<void> answer(const Router::Route& route, Request request);
  asio::awaitable<void> write_raw(std::string_view bytes);
  asio::awaitable<void> drain();

  /// What to answer to a fault of reading; nothing without a fault, or when nobody is there to answer.
  std::optional<Response> refusal_of(const error_code& error) const {
    if (!error) return std::nullopt;
    return deadline_.expired() ? problem(408, "the request did not come in time") : problem_for(error);
  }
  std::string head_of(const Response& response, std::optional<std::size_t> body_size);
  bool may_continue() const { return keep_alive_ && !finishing_ && socket_.is_open(); }

  Socket socket_;
  std::shared_ptr<asio::ssl::context> tls_;
  Held stream_;
  std::string peer_;
  const Router& router_;
  const ServerSettings& settings_;
  LargeBodies& bodies_;
  Deadline deadline_;
  beast::flat_buffer buffer_{buffer_size};
  LargeBodies::Room room_;
  std::optional<TimePoint> waiting_since_ = std::chrono::steady_clock::now();
  bool serving_ = false;
  bool finishing_ = false;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool only_head_ = false;
  bool begun_ = false;  ///< an answer has been begun
  bool ended_ = false;  ///< and is whole
};

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::run() {
  std::string fault;
  try {
    co_await serve();
  } catch (const ConnectionLost&) {
    // The client's affair.
  } catch (const std::exception& error) {
    fault = error.what();
  }
  deadline_.disarm();
  cut();
  if (!fault.empty()) metrics::log_error("http_session_failed", {{"peer", peer_}, {"error", fault}});
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::serve() {
  bool more = co_await handshake();
  while (more) {
    more = co_await one_request();
  }
  if constexpr (is_tls) {
    if (socket_.is_open()) {
      error_code ignored;
      deadline_.arm(draining);
      co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }
}

template <class Stream>
asio::awaitable<bool> SessionOn<Stream>::handshake() {
  error_code error;
  if constexpr (is_tls) {
    deadline_.arm(settings_.reading);
    co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, error));
    deadline_.disarm();
    if (error) {
      metrics::log_info("http_tls_handshake_failed", {{"peer", peer_}, {"error", error.message()}});
      cut();
    }
  }
  co_return !error;
}

template <class Stream>
asio::awaitable<bool> SessionOn<Stream>::first_bytes() {
  error_code error;
  if (buffer_.size() > 0) co_return true;
  deadline_.arm(settings_.idle);
  const auto space = buffer_.prepare(4096);
  const std::size_t read =
      co_await stream_.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
  buffer_.commit(read);
  co_return !error;
}

template <class Stream>
asio::awaitable<bool> SessionOn<Stream>::one_request() {
  const bool begun = co_await first_bytes();
  if (!begun) co_return false;
  serving_ = true;
  keep_alive_ = false;
  http_1_0_ = false;
  only_head_ = false;
  begun_ = false;
  ended_ = false;
  deadline_.arm(settings_.reading);
  Parser parser;
  parser.header_limit(settings_.max_header);
  parser.body_limit(boost::none);  // each route has its own, known behind the header
  error_code error;
  co_await beast::http::async_read_header(stream_, buffer_, parser,
                                          asio::redirect_error(asio::use_awaitable, error));
  std::optional<Response> refusal = refusal_of(error);
  std::string target;
  Router::Match match;
  if (!error) {
    target = std::string{parser.get().target()};
    http_1_0_ = parser.get().version() == 10;
    refusal = check_head(parser, target);
  }
  if (!error && !refusal) {
    match = router_.find(std::string{parser.get().method_string()}, path_of(target));
    only_head_ = parser.get().method() == beast::http::verb::head;
    auto admission = admit_body(parser, match, target, peer_, bodies_);
    refusal = std::move(admission.refusal);
    room_ = std::move(admission.room);
  }
  if (!error && !refusal) {
    const auto* found = std::get_if<Router::Found>(&match);
    const std::size_t max_body = found != nullptr ? found->route->max_body : unrouted_body;
    error = co_await read_body(parser, max_body);
    refusal = refusal_of(error);
  }
  deadline_.disarm();
  if (refusal) {
    co_await refuse(std::move(*refusal));
  }
  if (refusal || error) co_return false;
  keep_alive_ = parser.get().keep_alive();
  auto request = request_from(parser, target, peer_);
  waiting_since_.reset();
  co_await dispatch(std::move(request), std::move(match), target);
  waiting_since_ = std::chrono::steady_clock::now();
  room_.reset();
  serving_ = false;
  co_return may_continue();
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::dispatch(Request request, Router::Match match, std::string target) {
  auto query = parse_query(query_of(target));
  const auto* found = std::get_if<Router::Found>(&match);
  if (std::holds_alternative<Router::Malformed>(match) || !query) {
    co_await send(problem(400, "the target is not encoded as a URI is"));
  } else if (found == nullptr) {
    auto response = problem(404, "there is nothing under this path");
    if (const auto* others = std::get_if<Router::OtherMethods>(&match)) {
      const bool options = request.method == "OPTIONS";
      response = options ? Response{204, {}, {}, {}} : problem(405, "this path has no such method");
      response.fields.emplace_back("Allow", others->allowed + ", OPTIONS");
    }
    co_await send(std::move(response));
  } else {
    request.query = std::move(*query);
    request.parameters = found->parameters;
    co_await answer(*found->route, std::move(request));
  }
}

template <class Stream>
asio::awaitable<error_code> SessionOn<Stream>::read_body(Parser& parser, std::size_t max_body) {
  error_code error;
  const auto declared = parser.content_length();
  if (declared && *declared > max_body) co_return make_error_code(beast::http::error::body_limit);
  parser.body_limit(max_body);
  const auto expectation = parser.get()[beast::http::field::expect];
  if (beast::iequals(expectation, "100-continue") && !parser.is_done()) {
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(stream_, asio::buffer(go_on),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
  }
  if (!parser.is_done()) {
    co_await beast::http::async_read(stream_, buffer_, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
  }
  co_return error;
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::refuse(Response response) {
  auto last = std::move(response);
  keep_alive_ = false;
  co_await send(std::move(last));
  co_await drain();
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::drain() {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  deadline_.arm(draining);
  std::string discarded(4096, '\0');
  std::size_t total = 0;
  while (!error && total < most_drained) {
    const std::size_t read = co_await socket_.async_read_some(
        asio::buffer(discarded), asio::redirect_error(asio::use_awaitable, error));
    total += read;
  }
  cut();
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::answer(const Router::Route& route, Request request) {
  std::string fault;
  const std::string what = request.method + " " + request.path;
  try {
    co_await route.handler(std::move(request), *this);
  } catch (const ConnectionLost&) {
    throw;
  } catch (const HeadAnswered&) {
    // It is, as far as it was asked for.
  } catch (const std::exception& error) {
    fault = error.what();
    if (fault.empty()) fault = "unknown";
  }
  if (!fault.empty())
    metrics::log_error("http_handler_failed", {{"request", what}, {"peer", peer_}, {"error", fault}});
  if (!begun_) {
    co_await send(problem(500, "the request could not be served"));
  } else if (!ended_) {
    cut();  // the client must not take what it has for all
  }
}

template <class Stream>
std::string SessionOn<Stream>::head_of(const Response& response, std::optional<std::size_t> body_size) {
  begun_ = true;
  if (settings_.answered) settings_.answered(response.status);
  if (finishing_ || (http_1_0_ && !body_size)) keep_alive_ = false;
  return head_text(response, {body_size, keep_alive_, http_1_0_});
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::send(Response response) {
  const auto body_size = response.body.size();
  require(!begun_, "a request is answered once");
  auto bytes = head_of(response, body_size);
  if (!only_head_) bytes += response.body;
  co_await write_raw(bytes);
  ended_ = true;
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::begin(Response head) {
  auto first = std::move(head.body);
  require(!begun_, "a request is answered once");
  const auto bytes = head_of(head, std::nullopt);
  co_await write_raw(bytes);
  ended_ = only_head_;
  if (ended_) throw HeadAnswered{};
  if (!first.empty()) {
    co_await write(std::move(first));
  }
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::write(std::string bytes) {
  const bool nothing = bytes.empty();  // a chunk of no bytes would be the last one
  require(begun_ && !ended_, "no stream has been begun");
  if (nothing) co_return;
  if (!http_1_0_) bytes = chunk_text(bytes);
  co_await write_raw(bytes);
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::end() {
  const std::string_view last = "0\r\n\r\n";
  require(begun_ && !ended_, "no stream has been begun");
  if (!http_1_0_) {
    co_await write_raw(last);
  }
  ended_ = true;
}

template <class Stream>
asio::awaitable<void> SessionOn<Stream>::write_raw(std::string_view bytes) {
  error_code error;
  if (!socket_.is_open()) throw ConnectionLost{};
  deadline_.arm(settings_.writing);
  co_await asio::async_write(stream_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  deadline_.disarm();
  if (error) throw ConnectionLost{};
}

}  // namespace

std::shared_ptr<Session> make_session(Socket socket, std::shared_ptr<asio::ssl::context> tls,
                                      std::string peer, const Router& router, const ServerSettings& settings,
                                      LargeBodies& bodies) {
  if (tls) {
    return std::make_shared<SessionOn<TlsStream>>(std::move(socket), std::move(tls), std::move(peer), router,
                                                  settings, bodies);
  }
  return std::make_shared<SessionOn<Socket>>(std::move(socket), nullptr, std::move(peer), router, settings,
                                             bodies);
}

}  // namespace recovery::http
