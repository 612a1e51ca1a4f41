#include <algorithm>
#include <array>

#include "relay/smtp/server_state.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_name = 255;       // of a user
constexpr std::size_t max_password = 1024;  // what is hashed is bounded
constexpr std::size_t max_attribute = 255;  // of XFORWARD

/// Allowed before AUTH where it is required (RFC 4954 6; STARTTLS makes AUTH possible). What works on a
/// transaction alone is refused by its place anyway, and BDAT has octets to swallow.
constexpr std::array<std::string_view, 12> allowed_before_auth{
    "EHLO", "LHLO", "HELO", "STARTTLS", "AUTH", "NOOP", "RSET", "QUIT", "RCPT", "DATA", "BDAT", "HELP"};

Reply undecodable() {
  return {501, "5.5.2", "not base64"};
}
Reply bad_credentials() {
  return {501, "5.5.2", "credentials are malformed"};
}

/// Cuts the next word off `text`; empty at the end.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}

}  // namespace

// --- TLS

void ServerMachine::State::starttls(std::string_view argument) {
  if (!settings.starttls) return refuse({502, "5.5.1", "command not implemented"}, "unknown_command");
  if (secure) return refuse({503, "5.5.1", "TLS is active already"}, "sequence");
  if (!argument.empty()) return refuse({501, "5.5.4", "no argument is allowed"}, "syntax");
  reset();
  if (!rest.empty()) act(Refused{"plaintext_behind_starttls"});
  rest = {};
  say({220, "2.0.0", "go on with TLS"});
  phase = Phase::tls;
  act(StartTls{});
}

void ServerMachine::State::secured() {
  reset();
  secure = true;
  extended = false;
  client_name.clear();
  user.clear();
  forwarded = {};
  rest = {};
  held.clear();
  reader = CommandReader{};
  phase = Phase::command;
}

// --- AUTH (RFC 4954)

bool ServerMachine::State::needs_authentication(std::string_view verb) const {
  if (!settings.require_authentication || !user.empty()) return false;
  return std::none_of(allowed_before_auth.begin(), allowed_before_auth.end(),
                      [verb](std::string_view allowed) { return same_word(verb, allowed); });
}

void ServerMachine::State::auth(std::string_view argument) {
  if (!settings.authentication) return refuse({502, "5.5.1", "command not implemented"}, "unknown_command");
  if (!secure) return refuse({538, "5.7.11", "TLS is needed first"}, "authentication");
  if (!extended) return refuse({503, "5.5.1", "send EHLO first"}, "sequence");
  if (!user.empty()) return refuse({503, "5.5.1", "authenticated already"}, "sequence");
  if (in_transaction) return refuse({503, "5.5.1", "a transaction is under way"}, "sequence");
  const auto mechanism = next_word(argument);
  const auto initial = next_word(argument);
  if (mechanism.empty() || !argument.empty()) {
    return refuse({501, "5.5.4", "AUTH wants a mechanism"}, "syntax");
  }
  const bool plain = same_word(mechanism, "PLAIN");
  if (!plain && !same_word(mechanism, "LOGIN")) {
    return refuse({504, "5.5.4", "this mechanism is not offered"}, "parameter");
  }
  credentials = plain ? Credentials::plain : Credentials::login_name;
  if (!initial.empty()) return take_credentials(initial == "=" ? std::string_view{} : initial);
  phase = Phase::credentials;
  say({334, {}, plain ? "" : "VXNlcm5hbWU6"});  // "Username:"
}

void ServerMachine::State::read_credentials() {
  const auto line = reader.read(rest);
  if (line.kind == CommandReader::Kind::incomplete) return;
  phase = Phase::command;
  switch (line.kind) {
    case CommandReader::Kind::line:
      if (line.text == "*") {
        refuse({501, "5.7.0", "authentication cancelled"}, "authentication");
      } else {
        take_credentials(line.text);
      }
      break;
    case CommandReader::Kind::too_long:
      refuse({500, "5.5.6", "line too long"}, "authentication");
      break;
    case CommandReader::Kind::forbidden:
      refuse(bad_credentials(), "authentication");
      break;
    case CommandReader::Kind::bare_lf:
    case CommandReader::Kind::endless:
    case CommandReader::Kind::incomplete:
      act(Refused{"syntax"});
      say({500, "5.5.2", "lines end with CRLF"});
      close();
      break;
  }
}

void ServerMachine::State::take_credentials(std::string_view line) {
  auto decoded = base64_decode(line);
  if (!decoded) return refuse(undecodable(), "authentication");
  switch (credentials) {
    case Credentials::plain:
      return take_plain(*decoded);
    case Credentials::login_name:
      claimed_user = std::move(*decoded);
      credentials = Credentials::login_password;
      phase = Phase::credentials;
      return say({334, {}, "UGFzc3dvcmQ6"});  // "Password:"
    case Credentials::login_password:
      return check_password(std::move(*decoded));
  }
}

/// `[authzid] NUL authcid NUL password` (RFC 4616 2). Nobody acts for another.
void ServerMachine::State::take_plain(std::string_view decoded) {
  const auto first = decoded.find('\0');
  const auto second = first == std::string_view::npos ? first : decoded.find('\0', first + 1);
  if (second == std::string_view::npos) return refuse(bad_credentials(), "authentication");
  const auto authorization = decoded.substr(0, first);
  claimed_user = decoded.substr(first + 1, second - first - 1);
  if (!authorization.empty() && authorization != claimed_user) {
    return refuse({535, "5.7.8", "acting for another user is not allowed"}, "authentication");
  }
  check_password(std::string{decoded.substr(second + 1)});
}

void ServerMachine::State::check_password(std::string password) {
  const bool possible = !claimed_user.empty() && claimed_user.size() <= max_name && is_clean(claimed_user) &&
                        is_utf8(claimed_user) && !password.empty() && password.size() <= max_password &&
                        password.find('\0') == std::string::npos;
  if (!possible) return refuse(bad_credentials(), "authentication");
  ask(Question::password, CheckPassword{claimed_user, std::move(password)});
}

void ServerMachine::State::answered_password(const Reply& reply) {
  if (reply.code == 235) {
    user = std::exchange(claimed_user, {});
    return say(reply);
  }
  act(Refused{"authentication"});
  if (reply.code != 535 || ++auth_failures < settings.max_auth_failures) return say(reply);
  say({421, "4.7.0", "too many failed attempts to authenticate"});
  close();
}

// --- XFORWARD (as Postfix speaks it)

void ServerMachine::State::xforward(std::string_view argument) {
  if (!settings.xforward) return refuse({550, "5.7.0", "not for you"}, "unknown_command");
  if (in_transaction) return refuse({503, "5.5.1", "a transaction is under way"}, "sequence");
  auto said = forwarded;
  std::size_t attributes = 0;
  for (auto word = next_word(argument); !word.empty(); word = next_word(argument)) {
    const auto equals = word.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
    if (value.empty() || value.size() > max_attribute || !is_xtext(value)) {
      return refuse({501, "5.5.4", "malformed attribute"}, "syntax");
    }
    const bool unavailable = same_word(value, "[UNAVAILABLE]") || same_word(value, "[TEMPUNAVAIL]");
    auto decoded = unavailable ? std::string{} : xtext_decode(value);
    if (!is_clean(decoded)) return refuse({501, "5.5.4", "malformed attribute"}, "syntax");
    const auto name = word.substr(0, equals);
    if (same_word(name, "NAME")) {
      said.name = std::move(decoded);
    } else if (same_word(name, "ADDR")) {
      constexpr std::string_view tag = "IPv6:";
      if (same_word(std::string_view{decoded}.substr(0, tag.size()), tag)) decoded.erase(0, tag.size());
      said.address = std::move(decoded);
    } else if (same_word(name, "HELO")) {
      said.hello = std::move(decoded);
    } else if (!same_word(name, "PORT") && !same_word(name, "PROTO") && !same_word(name, "IDENT") &&
               !same_word(name, "SOURCE")) {
      return refuse({501, "5.5.4", "unknown attribute"}, "parameter");
    }
    ++attributes;
  }
  if (attributes == 0) return refuse({501, "5.5.4", "XFORWARD wants attributes"}, "syntax");
  forwarded = std::move(said);
  say({250, "2.0.0", "OK"});
}

}  // namespace relay::smtp
