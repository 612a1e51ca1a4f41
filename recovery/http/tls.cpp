#include "recovery/http/tls.hpp"

namespace recovery::http {

dumpster::Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const TlsSettings& settings) {
  namespace ssl = boost::asio::ssl;
  boost::system::error_code error;
  const auto failed = [&error](const std::filesystem::path& file) {
    return dumpster::Error{dumpster::Fault::invalid, file.string() + ": " + error.message()};
  };
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                           ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1,
                       error);
  context->use_certificate_chain_file(settings.certificate.string(), error);
  if (error) return failed(settings.certificate);
  context->use_private_key_file(settings.key.string(), ssl::context::pem, error);
  if (error) return failed(settings.key);
  if (!settings.client_ca.empty()) {
    context->load_verify_file(settings.client_ca.string(), error);
    if (error) return failed(settings.client_ca);
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
    if (error) return failed(settings.client_ca);
  }
  return context;
}

}  // namespace recovery::http
