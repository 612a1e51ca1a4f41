#include "relay/net/certificate_expiry.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>

namespace relay {

std::chrono::system_clock::time_point certificate_expiry(const TlsContext& context) {
  const X509* certificate = SSL_CTX_get0_certificate(context->native_handle());
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace relay
