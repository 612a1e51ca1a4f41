#include "relay/net/connection.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;

/// TLS over the connection's own socket.
struct Connection::Tls {
  Tls(asio::ip::tcp::socket& socket, TlsContext with) : context(std::move(with)), stream(socket, *context) {}

  TlsContext context;
  asio::ssl::stream<asio::ip::tcp::socket&> stream;
  TlsSession session;
};

namespace {

/// The name is checked by OpenSSL itself, so that the verdict on a certificate covers it even where it is not
/// decisive.
bool expect_host(SSL* ssl, const std::string& host) {
  error_code not_literal;
  asio::ip::make_address(host, not_literal);
  if (!not_literal) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // Not SSL_set_tlsext_host_name: the macro casts in the old style.
  auto* name = const_cast<char*>(host.c_str());
  return SSL_set1_host(ssl, name) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

std::string subject_of(const X509* certificate) {
  std::string subject;
  BIO* memory = BIO_new(BIO_s_mem());
  if (memory == nullptr) return subject;
  if (X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
    char* text = nullptr;
    const auto size = BIO_ctrl(memory, BIO_CTRL_INFO, 0, &text);
    if (text != nullptr && size > 0) subject.assign(text, static_cast<std::size_t>(size));
  }
  BIO_free(memory);
  return subject;
}

std::string hexadecimal(const std::array<unsigned char, EVP_MAX_MD_SIZE>& digest, unsigned size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += digits[digest[i] >> 4U];
    text += digits[digest[i] & 15U];
  }
  return text;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return hexadecimal(digest, size);
}

/// Of the whole SubjectPublicKeyInfo, as in DANE (RFC 6698 2.1.2).
std::string key_fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  const bool digested =
      EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), &size, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  return digested ? hexadecimal(digest, size) : std::string{};
}

TlsSession session_of(SSL* ssl) {
  TlsSession session;
  session.protocol = SSL_get_version(ssl);
  session.cipher = SSL_get_cipher_name(ssl);
  session.bits = SSL_get_cipher_bits(ssl, nullptr);
  X509* certificate = SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return session;
  session.peer_subject = subject_of(certificate);
  session.peer_fingerprint = fingerprint_of(certificate);
  session.peer_key_fingerprint = key_fingerprint_of(certificate);
  X509_free(certificate);
  const auto verdict = SSL_get_verify_result(ssl);
  session.verified = verdict == X509_V_OK;
  if (!session.verified) session.peer_fault = X509_verify_cert_error_string(verdict);
  return session;
}

/// Many peers end TLS without a word. SMTP knows by itself whether it was at an end.
void untangle(error_code& error) {
  if (error == asio::ssl::error::stream_truncated) error = asio::error::eof;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket)
    : socket_(std::move(socket)), timer_(socket_.get_executor()) {
  error_code ignored;
  remote_ = socket_.remote_endpoint(ignored);
}

Connection::~Connection() = default;

void Connection::begin_wait(std::chrono::milliseconds limit) {
  deadline_ = std::chrono::steady_clock::now() + limit;
  waiting_ = true;
  timed_out_ = false;
  if (!armed_ || timer_.expiry() > deadline_) arm();
}

void Connection::end_wait(error_code& error) {
  waiting_ = false;
  if (timed_out_) error = asio::error::timed_out;
}

void Connection::arm() {
  armed_ = true;
  timer_.expires_at(deadline_);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || error == asio::error::operation_aborted) return;
    self->armed_ = false;
    if (!self->waiting_) return;
    if (std::chrono::steady_clock::now() < self->deadline_) {
      self->arm();
      return;
    }
    self->timed_out_ = true;
    self->interrupt();
  });
}

asio::awaitable<error_code> Connection::connect(std::vector<asio::ip::tcp::endpoint> endpoints,
                                                std::chrono::milliseconds limit) {
  error_code error = asio::error::host_not_found;
  for (const auto& endpoint : endpoints) {
    error_code ignored;
    socket_.close(ignored);
    begin_wait(limit);
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    end_wait(error);
    if (!error) {
      remote_ = endpoint;
      socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
      break;
    }
  }
  co_return error;
}

asio::awaitable<std::size_t> Connection::read_some(asio::mutable_buffer buffer,
                                                   std::chrono::milliseconds limit, error_code& error) {
  std::size_t size = 0;
  begin_wait(limit);
  if (tls_) {
    size = co_await tls_->stream.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    untangle(error);
  } else {
    size = co_await socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
  }
  end_wait(error);
  co_return size;
}

asio::awaitable<error_code> Connection::write(std::string_view bytes, std::chrono::milliseconds limit) {
  error_code error;
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  begin_wait(limit);
  if (tls_) {
    co_await asio::async_write(tls_->stream, buffer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await asio::async_write(socket_, buffer, asio::redirect_error(asio::use_awaitable, error));
  }
  end_wait(error);
  co_return error;
}

asio::awaitable<error_code> Connection::handshake_as_server(TlsContext context,
                                                            std::chrono::milliseconds limit) {
  auto tls = std::make_unique<Tls>(socket_, std::move(context));
  auto error = co_await handshake(std::move(tls), true, limit);
  co_return error;
}

asio::awaitable<error_code> Connection::handshake_as_client(TlsContext context, std::string host,
                                                            std::chrono::milliseconds limit) {
  auto tls = std::make_unique<Tls>(socket_, std::move(context));
  if (!expect_host(tls->stream.native_handle(), host)) {
    cut();
    co_return asio::error::invalid_argument;
  }
  auto error = co_await handshake(std::move(tls), false, limit);
  co_return error;
}

asio::awaitable<error_code> Connection::handshake(std::unique_ptr<Tls> tls, bool as_server,
                                                  std::chrono::milliseconds limit) {
  error_code error;
  const auto side = as_server ? asio::ssl::stream_base::server : asio::ssl::stream_base::client;
  tls_ = std::move(tls);
  begin_wait(limit);
  co_await tls_->stream.async_handshake(side, asio::redirect_error(asio::use_awaitable, error));
  untangle(error);
  end_wait(error);
  auto* ssl = tls_->stream.native_handle();
  if (!error) {
    tls_->session = session_of(ssl);
    co_return error;
  }
  const auto verdict = SSL_get_verify_result(ssl);
  tls_fault_ = verdict == X509_V_OK ? error.message() : X509_verify_cert_error_string(verdict);
  cut();
  tls_.reset();
  co_return error;
}

const TlsSession* Connection::tls() const {
  return tls_ ? &tls_->session : nullptr;
}

asio::awaitable<void> Connection::close_tls(std::chrono::milliseconds limit) {
  error_code ignored;
  if (!tls_ || !socket_.is_open()) co_return;
  begin_wait(limit);
  co_await tls_->stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
  end_wait(ignored);
}

void Connection::interrupt() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::cut() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace relay
