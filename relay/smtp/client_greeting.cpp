#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "relay/smtp/client_state.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

/// RFC 4954 4: a response that would make the command longer than this follows behind a 334.
constexpr std::size_t max_command = 510;

std::string words_of(const Reply& reply) {
  return std::to_string(reply.code) + ' ' + (reply.enhanced.empty() ? "" : reply.enhanced + ' ') + reply.text;
}

std::string base64(const std::string& text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a NUL
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), from, static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

/// RFC 4616 2, without another identity to act for.
std::string plain_response(const Credentials& credentials) {
  std::string response(1, '\0');
  response += credentials.user;
  response += '\0';
  response += credentials.password;
  return base64(response);
}

}  // namespace

void ClientMachine::State::greet() {
  command((lmtp() ? "LHLO " : "EHLO ") + settings.hub_name, About::hello);
}

void ClientMachine::State::take_greeting(const Reply& reply) {
  if (reply.code != 220) return fail("greeting: " + words_of(reply), reply);
  greet();
}

void ClientMachine::State::take_hello(About about, const Reply& reply) {
  if (reply.code >= 500 && about == About::hello && !lmtp()) {
    return command("HELO " + settings.hub_name, About::helo);
  }
  if (reply.code != 250) return fail("hello: " + words_of(reply), reply);
  if (about == About::hello) read_extensions(reply.text);
  secure_or_authenticate();
}

void ClientMachine::State::read_extensions(std::string_view text) {
  auto end = text.find('\n');  // the first line names the host
  while (end != std::string_view::npos) {
    text.remove_prefix(end + 1);
    end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto keyword = line.substr(0, line.find_first_of(" ="));  // AUTH=PLAIN: older than the RFC
    read_extension(keyword, line.substr(std::min(keyword.size() + 1, line.size())));
  }
}

void ClientMachine::State::read_extension(std::string_view keyword, std::string_view parameters) {
  if (same_word(keyword, "PIPELINING")) extensions.pipelining = true;
  if (same_word(keyword, "8BITMIME")) extensions.eight_bit_mime = true;
  if (same_word(keyword, "SMTPUTF8")) extensions.smtputf8 = true;
  if (same_word(keyword, "DSN")) extensions.dsn = true;
  if (same_word(keyword, "REQUIRETLS")) extensions.require_tls = true;
  if (same_word(keyword, "STARTTLS")) extensions.start_tls = true;
  if (same_word(keyword, "CHUNKING")) extensions.chunking = true;
  if (same_word(keyword, "SIZE")) {
    extensions.size = true;
    std::from_chars(parameters.data(), parameters.data() + parameters.size(), extensions.max_size);
  }
  if (!same_word(keyword, "AUTH")) return;
  while (!parameters.empty()) {
    const auto mechanism = parameters.substr(0, parameters.find(' '));
    if (same_word(mechanism, "PLAIN")) extensions.auth_plain = true;
    if (same_word(mechanism, "LOGIN")) extensions.auth_login = true;
    parameters.remove_prefix(std::min(mechanism.size() + 1, parameters.size()));
  }
}

void ClientMachine::State::secure_or_authenticate() {
  using StartTls = ClientSettings::StartTls;
  if (!under_tls && settings.start_tls != StartTls::never) {
    if (extensions.start_tls) return command("STARTTLS", About::start_tls);
    if (settings.start_tls == StartTls::required) {
      const Reply words{454, "4.7.0", "the next hop does not offer STARTTLS"};
      return fail(words.text, words);
    }
  }
  authenticate();
}

void ClientMachine::State::take_start_tls(const Reply& reply) {
  if (reply.code == 220) {
    phase = Phase::handshake;
    return;
  }
  if (settings.start_tls == ClientSettings::StartTls::required) {
    return fail("STARTTLS: " + words_of(reply), {454, "4.7.0", "STARTTLS refused: " + words_of(reply)});
  }
  authenticate();
}

void ClientMachine::State::authenticate() {
  const auto refuse = [this](const char* why) {
    const Reply words{454, "4.7.0", why};
    fail(words.text, words);
  };
  if (!settings.credentials) {
    phase = Phase::ready;
    return;
  }
  if (!under_tls) return refuse("credentials are not said without TLS");
  if (extensions.auth_plain) {
    const auto text = "AUTH PLAIN " + plain_response(*settings.credentials);
    if (text.size() <= max_command) return command(text, About::auth_plain);
    return command("AUTH PLAIN", About::auth_plain_empty);
  }
  if (extensions.auth_login) return command("AUTH LOGIN", About::auth_login);
  refuse("the next hop offers neither AUTH PLAIN nor AUTH LOGIN");
}

void ClientMachine::State::take_authentication(About about, const Reply& reply) {
  const bool last = about == About::auth_plain || about == About::auth_password;
  if (!last && reply.code == 334) {
    if (about == About::auth_plain_empty)
      return command(plain_response(*settings.credentials), About::auth_plain);
    if (about == About::auth_login) return command(base64(settings.credentials->user), About::auth_user);
    return command(base64(settings.credentials->password), About::auth_password);
  }
  if (last && reply.code == 235) {
    phase = Phase::ready;
    return;
  }
  fail("AUTH: " + words_of(reply), {454, "4.7.0", "AUTH refused: " + words_of(reply)});
}

}  // namespace relay::smtp
