#include "relay/net/tls_context.hpp"

#include <openssl/ssl.h>

#include <optional>

namespace relay {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

TlsFault fault(const std::filesystem::path& file, const error_code& error) {
  return {file.string() + ": " + error.message()};
}

TlsContext make(ssl::context::method method) {
  auto made = std::make_shared<ssl::context>(method);
  auto* native = made->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_SINGLE_DH_USE |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle session holds no record buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  return made;
}

/// Empty when certificate and key are taken.
std::optional<TlsFault> take_certificate(ssl::context& context, const std::filesystem::path& certificate,
                                         const std::filesystem::path& key) {
  error_code error;
  context.use_certificate_chain_file(certificate.string(), error);
  if (error) return fault(certificate, error);
  context.use_private_key_file(key.string(), ssl::context::pem, error);
  if (error) return fault(key, error);
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return TlsFault{key.string() + ": not the key of " + certificate.string()};
  return std::nullopt;
}

}  // namespace

std::variant<TlsContext, TlsFault> make_server_tls(const ServerTlsSettings& settings) {
  auto made = make(ssl::context::tls_server);
  if (auto wrong = take_certificate(*made, settings.certificate, settings.key)) return *wrong;
  // No session is resumed. Tickets of TLS 1.2 are sealed with a key that lives as long as the context; those
  // of TLS 1.3 would be made, sent and forgotten.
  SSL_CTX_set_options(made->native_handle(), SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(made->native_handle(), 0);
  SSL_CTX_set_session_cache_mode(made->native_handle(), SSL_SESS_CACHE_OFF);
  return made;
}

std::variant<TlsContext, TlsFault> make_client_tls(const ClientTlsSettings& settings) {
  error_code error;
  auto made = make(ssl::context::tls_client);
  if (!settings.certificate.empty()) {
    if (auto wrong = take_certificate(*made, settings.certificate, settings.key)) return *wrong;
  }
  if (settings.ca.empty()) {
    made->set_default_verify_paths(error);
    if (error) return TlsFault{"the system's certificate authorities: " + error.message()};
  } else {
    made->load_verify_file(settings.ca.string(), error);
    if (error) return fault(settings.ca, error);
  }
  made->set_verify_mode(settings.verify ? ssl::verify_peer : ssl::verify_none, error);
  if (error) return TlsFault{error.message()};
  return made;
}

}  // namespace relay
