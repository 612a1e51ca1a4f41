#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>

namespace relay {

/// Certificate, key and rules of TLS connections. Never changes once made, so connections of any thread share
/// it; those that have it go on with it when a reload makes a new one.
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Why there is no context: `FILE: what is wrong with it`.
struct TlsFault {
  std::string text;
};

/// For connections that we accept: TLS 1.2 and 1.3, no renegotiation, no compression.
struct ServerTlsSettings {
  std::filesystem::path certificate;  ///< PEM: the certificate first, then its chain
  std::filesystem::path key;          ///< PEM, the certificate's own

  bool operator==(const ServerTlsSettings&) const = default;
};
std::variant<TlsContext, TlsFault> make_server_tls(const ServerTlsSettings& settings);

/// For connections that we open: TLS 1.2 and 1.3.
struct ClientTlsSettings {
  /// A handshake with a certificate that is not of a known authority, has expired or names another host
  /// fails. Otherwise it succeeds, and `TlsSession::verified` tells.
  bool verify = true;
  std::filesystem::path ca;           ///< PEM, authorities instead of the system's; empty: the system's
  std::filesystem::path certificate;  ///< with `key`: shown to servers that ask for one
  std::filesystem::path key;

  bool operator==(const ClientTlsSettings&) const = default;
};
std::variant<TlsContext, TlsFault> make_client_tls(const ClientTlsSettings& settings);

/// What is known of a connection under TLS; for Received fields, logs and decisions.
struct TlsSession {
  std::string protocol;  ///< "TLSv1.3"
  std::string cipher;    ///< "TLS_AES_256_GCM_SHA384"
  int bits = 0;          ///< of the cipher's key
  /// The peer's certificate; empty without one. Subject in the form of RFC 2253, and why it is not trusted.
  std::string peer_subject;
  std::string peer_fault;
  /// SHA-256 of that certificate (in DER) and of the public key in it, 64 digits in lower case.
  std::string peer_fingerprint;
  std::string peer_key_fingerprint;
  /// The peer's certificate is of a known authority, valid now and, where we are the client, names the host
  /// that we asked for.
  bool verified = false;
};

}  // namespace relay
