#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <boost/asio/ssl/stream.hpp>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "tests/integration/recovery/http_client.hpp"
#include "tests/integration/recovery/running_server.hpp"

namespace asio = boost::asio;
namespace http = recovery::http;

namespace {

asio::awaitable<void> hello(http::Responder& out) {
  http::Response response;
  response.body = "hello";
  co_await out.send(std::move(response));
}

http::Router routes() {
  http::Router router;
  router.add("GET", "/hello", [](http::Request /*request*/, http::Responder& out) { return hello(out); });
  return router;
}

/// A certificate that signs itself, and its key, as PEM files.
class Certificate {
 public:
  Certificate() : folder(std::filesystem::temp_directory_path() / ("https-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(folder);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), &X509_free};
    X509_set_version(x509.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_set_pubkey(x509.get(), pair.get());
    auto* name = X509_get_subject_name(x509.get());
    const unsigned char text[] = "hub1.example.test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x509.get(), name);
    X509_sign(x509.get(), pair.get(), EVP_sha256());
    write(certificate(), [&](std::FILE* file) { PEM_write_X509(file, x509.get()); });
    write(key(), [&](std::FILE* file) {
      PEM_write_PrivateKey(file, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::filesystem::path certificate() const { return folder / "tls.crt"; }
  std::filesystem::path key() const { return folder / "tls.key"; }

 private:
  template <class Write>
  static void write(const std::filesystem::path& path, Write write) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    write(file);
    std::fclose(file);
  }
  std::filesystem::path folder;
};

/// Asks over TLS; the status, or 0 when there is no answer.
int status_over_tls(std::uint16_t port, const Certificate& certificate, bool with_certificate) {
  asio::io_context context;
  asio::ssl::context tls{asio::ssl::context::tls_client};
  tls.load_verify_file(certificate.certificate().string());
  tls.set_verify_mode(asio::ssl::verify_peer);
  if (with_certificate) {
    tls.use_certificate_chain_file(certificate.certificate().string());
    tls.use_private_key_file(certificate.key().string(), asio::ssl::context::pem);
  }
  asio::ssl::stream<asio::ip::tcp::socket> stream{context, tls};
  try {
    stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream.handshake(asio::ssl::stream_base::client);
    const std::string request = "GET /hello HTTP/1.1\r\nHost: hub\r\n\r\n";
    asio::write(stream, asio::buffer(request));
    boost::beast::flat_buffer buffer;
    boost::beast::http::response<boost::beast::http::string_body> answer;
    boost::beast::http::read(stream, buffer, answer);
    return static_cast<int>(answer.result_int());
  } catch (const boost::system::system_error&) {
    return 0;
  }
}

}  // namespace

TEST_CASE("HTTPS serves whoever speaks TLS, and with an authority only its clients") {
  const Certificate certificate;
  recovery::RunningServer server{routes()};
  std::promise<std::pair<std::uint16_t, std::uint16_t>> listening;
  asio::post(server.context(), [&] {
    const auto open =
        server.server().listen_tls("127.0.0.1:0", {certificate.certificate(), certificate.key(), {}});
    const auto closed = server.server().listen_tls(
        "127.0.0.1:0", {certificate.certificate(), certificate.key(), certificate.certificate()});
    listening.set_value({open.value(), closed.value()});
  });
  const auto ports = listening.get_future().get();
  CHECK(status_over_tls(ports.first, certificate, false) == 200);
  CHECK(status_over_tls(ports.second, certificate, true) == 200);
  CHECK(status_over_tls(ports.second, certificate, false) == 0);
  recovery::HttpClient plain{ports.first};
  plain.send("GET /hello HTTP/1.1\r\nHost: hub\r\n\r\n");
  CHECK_THROWS(plain.receive());
}

TEST_CASE("a certificate or key that does not do is named") {
  const Certificate certificate;
  asio::io_context context{1};
  http::Server server{context.get_executor(), std::make_shared<const http::Router>(routes())};
  const auto no_certificate = server.listen_tls("127.0.0.1:0", {"/nonexistent.crt", certificate.key(), {}});
  REQUIRE(no_certificate.has_error());
  CHECK(no_certificate.error().detail.find("/nonexistent.crt") == 0);
  const auto no_key =
      server.listen_tls("127.0.0.1:0", {certificate.certificate(), certificate.certificate(), {}});
  REQUIRE(no_key.has_error());
  CHECK(no_key.error().detail.find("tls.crt") != std::string::npos);
}
