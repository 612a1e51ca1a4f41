#include <openssl/ssl.h>

#include <algorithm>

#include "tests/integration/relay/hop_client.hpp"
#include "tests/integration/relay/scripted_hop.hpp"
#include "tests/integration/relay/tls_certificate.hpp"

namespace {

using relay::NextHopPolicy;
using relay::TlsContext;
using Kind = relay::smtp::ClientRecipientResult::Kind;

const std::string body = "Subject: x\r\n\r\ntext\r\n";

TlsContext context_of(const TlsCertificate& certificate) {
  auto made = relay::make_server_tls({certificate.certificate(), certificate.key()});
  REQUIRE(std::holds_alternative<TlsContext>(made));
  return std::get<TlsContext>(made);
}

/// Verified by an authority, here the certificate itself.
NextHopPolicy trusting(const TlsCertificate& certificate) {
  relay::ClientTlsSettings settings;
  settings.ca = certificate.certificate();
  auto made = relay::make_client_tls(settings);
  NextHopPolicy policy;
  policy.tls = std::get<TlsContext>(made);
  policy.verified = true;
  return policy;
}

/// An ordinary SMTP server with DATA.
void serve_mail(HopConnection& hop, const std::string& extensions) {
  for (auto line = hop.hear(); !line.empty(); line = hop.hear()) {
    if (line.starts_with("EHLO")) {
      hop.say("250-next\r\n" + extensions + "250 8BITMIME\r\n");
    } else if (line == "DATA") {
      hop.say("354 go\r\n");
      hop.hear_data();
      hop.say("250 2.0.0 stored\r\n");
    } else if (line.starts_with("AUTH")) {
      hop.say("235 2.7.0 welcome\r\n");
    } else if (line == "STARTTLS" || line == "QUIT") {
      return;
    } else {
      hop.say("250 2.1.0 ok\r\n");
    }
  }
}

ScriptedHop::Script with_starttls(TlsContext tls, std::string go_ahead = "220 go\r\n") {
  return [tls, go_ahead](HopConnection& hop) {
    hop.say("220 next\r\n");
    serve_mail(hop, "250-STARTTLS\r\n");
    hop.say(go_ahead);
    if (hop.secure(tls)) serve_mail(hop, "250-AUTH PLAIN\r\n250-REQUIRETLS\r\n");
  };
}

std::string url_of(const ScriptedHop& hop, const std::string& parameters = "") {
  return "smtp://127.0.0.1:" + std::to_string(hop.port()) + parameters;
}

bool has_line(const ScriptedHop& hop, const std::string& wanted) {
  const auto heard = hop.heard();
  return std::find(heard.begin(), heard.end(), wanted) != heard.end();
}

bool anything_about_mail(const ScriptedHop& hop, const std::string& prefix) {
  const auto heard = hop.heard();
  return std::any_of(heard.begin(), heard.end(),
                     [&](const auto& line) { return line.starts_with(prefix + "MAIL"); });
}

}  // namespace

TEST_CASE("with STARTTLS nothing of the mail is said in the open") {
  const TlsCertificate certificate;
  ScriptedHop hop{with_starttls(context_of(certificate))};
  for (const std::string parameters : {"", "?tls=starttls"}) {
    HopClient client{url_of(hop, parameters), open_policy()};
    CHECK(client.open().empty());
    const auto end = client.send(body);
    CHECK(end.results.at(0).kind == Kind::delivered);
    CHECK(end.reusable);
  }
  CHECK(anything_about_mail(hop, "TLS "));
  CHECK_FALSE(anything_about_mail(hop, ""));
}

TEST_CASE("with implicit TLS the greeting itself is secret") {
  const TlsCertificate certificate;
  ScriptedHop hop{[tls = context_of(certificate)](HopConnection& connection) {
    if (!connection.secure(tls)) return;
    connection.say("220 next\r\n");
    serve_mail(connection, "");
  }};
  HopClient client{url_of(hop, "?tls=implicit"), trusting(certificate)};
  CHECK(client.open().empty());
  CHECK(client.send(body).results.at(0).kind == Kind::delivered);
}

TEST_CASE("a handshake that fails costs the mail only where TLS is demanded") {
  const auto broken = [](HopConnection& hop) {
    hop.say("220 next\r\n");
    serve_mail(hop, "250-STARTTLS\r\n");
    hop.say("220 go\r\nthis is not TLS at all, nor anything else\r\n");
  };
  ScriptedHop opportunistic{broken};
  HopClient client{url_of(opportunistic), open_policy()};
  CHECK(client.open().empty());
  CHECK(opportunistic.connections() == 2);
  CHECK(client.send(body).results.at(0).kind == Kind::delivered);
  ScriptedHop demanding{broken};
  HopClient refused{url_of(demanding, "?tls=starttls"), open_policy()};
  CHECK(refused.open().substr(0, 9) == "454 4.7.5");
  CHECK_FALSE(anything_about_mail(demanding, ""));
  CHECK(demanding.connections() == 1);
}

TEST_CASE("a next hop without STARTTLS gets nothing where TLS is demanded, by the URL or by the policy") {
  const auto plain = [](HopConnection& hop) {
    hop.say("220 next\r\n");
    serve_mail(hop, "");
  };
  const TlsCertificate certificate;
  for (const std::string parameters : {"", "?tls=none", "?tls=starttls"}) {
    ScriptedHop hop{plain};
    HopClient client{url_of(hop, parameters), trusting(certificate)};
    CHECK(client.open().find("does not offer STARTTLS") != std::string::npos);
    CHECK_FALSE(anything_about_mail(hop, ""));
  }
  ScriptedHop hop{plain};
  HopClient client{url_of(hop, "?tls=starttls"), open_policy()};
  CHECK(client.open().substr(0, 9) == "454 4.7.0");
}

TEST_CASE("a certificate is verified against the authority, for the host of the URL or the name given") {
  const TlsCertificate certificate{"node1.example.test"};
  const TlsCertificate other{"node1.example.test"};
  ScriptedHop hop{with_starttls(context_of(certificate))};
  HopClient by_address{url_of(hop), trusting(certificate)};
  CHECK(by_address.open().empty());
  auto named = trusting(certificate);
  named.certificate_name = "node1.example.test";
  HopClient by_name{url_of(hop), named};
  CHECK(by_name.open().empty());
  named.certificate_name = "node2.example.test";
  HopClient misnamed{url_of(hop), named};
  CHECK(misnamed.open().find("ostname mismatch") != std::string::npos);
  HopClient untrusted{url_of(hop), trusting(other)};
  CHECK(untrusted.open().substr(0, 9) == "454 4.7.5");
}

TEST_CASE("a fingerprint of the certificate or of its key proves who it is, and another one nothing") {
  const TlsCertificate certificate;
  ScriptedHop hop{with_starttls(context_of(certificate))};
  auto policy = open_policy();
  policy.verified = true;
  policy.fingerprints = {std::string(64, '0')};
  HopClient unknown{url_of(hop), policy};
  const auto failure = unknown.open();
  CHECK(failure.find("unknown fingerprint") != std::string::npos);
  CHECK_FALSE(has_line(hop, "TLS EHLO hub1.example.test"));
  policy.fingerprints.push_back(failure.substr(failure.size() - 64));  // the one that it has said
  HopClient known{url_of(hop), policy};
  CHECK(known.open().empty());
}

TEST_CASE("replies put in front of the handshake are not taken for what is said under TLS") {
  const TlsCertificate certificate;
  ScriptedHop hop{with_starttls(context_of(certificate), "220 go\r\n250-evil\r\n250 CHUNKING\r\n250 a\r\n")};
  HopClient client{url_of(hop, "?tls=starttls"), open_policy()};
  CHECK(client.open().empty());
  CHECK_FALSE(client.session().extensions().chunking);
  CHECK(client.session().extensions().require_tls);
  CHECK(client.send(body).results.at(0).kind == Kind::delivered);
}

TEST_CASE("credentials are said under TLS alone") {
  const TlsCertificate certificate;
  ScriptedHop hop{with_starttls(context_of(certificate))};
  auto policy = trusting(certificate);
  policy.credentials = relay::smtp::Credentials{"user", "secret"};
  HopClient client{url_of(hop), policy};
  CHECK(client.open().empty());
  CHECK(has_line(hop, "TLS AUTH PLAIN AHVzZXIAc2VjcmV0"));
}

TEST_CASE("REQUIRETLS needs a proof of who the next hop is, not only secrecy") {
  const TlsCertificate certificate;
  ScriptedHop hop{with_starttls(context_of(certificate))};
  auto transaction = HopClient::one_recipient();
  transaction.require_tls = true;
  HopClient secret{url_of(hop, "?tls=starttls"), open_policy()};
  CHECK(secret.open().empty());
  CHECK(secret.send(body, transaction).results.at(0).reply.enhanced == "5.7.30");
  secret.session().cut();
  HopClient proved{url_of(hop), trusting(certificate)};
  CHECK(proved.open().empty());
  CHECK(proved.send(body, transaction).results.at(0).kind == Kind::delivered);
  CHECK(has_line(hop, "TLS MAIL FROM:<sender@example.test> REQUIRETLS"));
}

TEST_CASE("a certificate of our own is shown to a next hop that asks for one") {
  const TlsCertificate certificate;
  const TlsCertificate ours{"hub1.example.test"};
  const auto asking = context_of(certificate);
  asking->load_verify_file(ours.certificate().string());
  asking->set_verify_mode(boost::asio::ssl::verify_peer | boost::asio::ssl::verify_fail_if_no_peer_cert);
  ScriptedHop hop{with_starttls(asking)};
  relay::ClientTlsSettings settings;
  settings.ca = certificate.certificate();
  settings.certificate = ours.certificate();
  settings.key = ours.key();
  auto made = relay::make_client_tls(settings);
  REQUIRE(std::holds_alternative<TlsContext>(made));
  auto policy = trusting(certificate);
  policy.tls = std::get<TlsContext>(made);
  HopClient shown{url_of(hop), policy};
  CHECK(shown.open().empty());
  CHECK(shown.send(body).results.at(0).kind == Kind::delivered);
  HopClient missing{url_of(hop), trusting(certificate)};
  CHECK_FALSE(missing.open().empty());
}
