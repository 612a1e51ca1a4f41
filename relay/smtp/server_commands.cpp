#include <algorithm>
#include <array>

#include "relay/smtp/address.hpp"
#include "relay/smtp/esmtp_parameters.hpp"
#include "relay/smtp/server_state.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_plain_command_line = 512;  // RFC 5321 4.5.3.1.4, with CRLF

/// What browsers and proxies say that somebody has pointed at this port: the session ends at once, so that
/// nothing of what follows is taken for commands.
constexpr std::array<std::string_view, 6> words_of_http{"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT"};

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// What follows `FROM:` or `TO:`; blanks behind the colon, which many clients send, are skipped.
std::optional<std::string_view> path_behind(std::string_view argument, std::string_view word) {
  if (!same_word(argument.substr(0, word.size()), word)) return std::nullopt;
  argument.remove_prefix(word.size());
  argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));
  return argument;
}

Reply wrong_order(std::string_view text) {
  return {503, "5.5.1", std::string{text}};
}
Reply not_utf8() {
  return {553, "5.6.7", "a non-ASCII address needs SMTPUTF8"};
}

}  // namespace

void ServerMachine::State::read_command() {
  const auto line = reader.read(rest);
  switch (line.kind) {
    case CommandReader::Kind::incomplete:
      break;
    case CommandReader::Kind::line:
      run_command(line.text);
      break;
    case CommandReader::Kind::too_long:
      refuse({500, "5.5.2", "line too long"}, "syntax");
      break;
    case CommandReader::Kind::forbidden:
      refuse({500, "5.5.2", "CR and NUL are not allowed here"}, "syntax");
      break;
    case CommandReader::Kind::bare_lf:
    case CommandReader::Kind::endless:
      act(Refused{"syntax"});
      say({500, "5.5.2", "lines end with CRLF"});
      close();
      break;
  }
}

void ServerMachine::State::run_command(std::string_view line) {
  const auto verb = line.substr(0, line.find(' '));
  const auto argument = trim(line.substr(verb.size()));
  const auto is = [verb](std::string_view name) { return same_word(verb, name); };
  const bool has_parameters = is("MAIL") || is("RCPT") || is("AUTH") || is("XFORWARD");
  if (!has_parameters && line.size() + 2 > max_plain_command_line) {
    return refuse({500, "5.5.2", "line too long"}, "syntax");
  }
  if (needs_authentication(verb)) {
    return refuse({530, "5.7.0", "authentication is required"}, "authentication");
  }
  if (is("MAIL")) return mail(argument);
  if (is("RCPT")) return recipient(argument);
  if (is("BDAT")) return bdat(argument);
  if (is("EHLO") || is("HELO") || is("LHLO")) return hello(verb, argument);
  if (is("NOOP")) return say({250, "2.0.0", "OK"});
  if (is("HELP")) return say({214, "2.0.0", "RFC 5321 and RFC 2033 describe this service"});
  if (is("VRFY")) {
    if (argument.empty()) return refuse({501, "5.5.4", "VRFY wants an argument"}, "syntax");
    return say({252, "2.0.0", "send some mail, delivery will be attempted"});
  }
  if (is("DATA") || is("RSET") || is("QUIT")) {
    if (!argument.empty()) return refuse({501, "5.5.4", "no argument is allowed"}, "syntax");
    return no_argument_command(verb);
  }
  if (is("STARTTLS")) return starttls(argument);
  if (is("AUTH")) return auth(argument);
  if (is("XFORWARD")) return xforward(argument);
  if (is("EXPN") || is("TURN") || is("ETRN")) {
    return refuse({502, "5.5.1", "command not implemented"}, "unknown_command");
  }
  if (std::any_of(words_of_http.begin(), words_of_http.end(), is)) {
    act(Refused{"syntax"});
    say({421, "4.7.0", "this is no web server"});
    return close();
  }
  refuse({500, "5.5.1", "command not recognised"}, "unknown_command");
}

void ServerMachine::State::no_argument_command(std::string_view verb) {
  if (same_word(verb, "DATA")) return data();
  if (same_word(verb, "RSET")) {
    reset();
    return say({250, "2.0.0", "OK"});
  }
  say({221, "2.0.0", settings.hub_name + " closing connection"});
  close();
}

void ServerMachine::State::hello(std::string_view verb, std::string_view argument) {
  if (same_word(verb, "LHLO") != lmtp()) {
    return refuse({500, "5.5.1", lmtp() ? "this is LMTP: LHLO" : "this is SMTP: EHLO"}, "unknown_command");
  }
  if (!is_client_name(argument)) {
    return refuse({501, "5.5.4", "a domain or address literal is wanted"}, "syntax");
  }
  reset();
  client_name = argument;
  extended = !same_word(verb, "HELO");
  if (!extended) return say({250, {}, settings.hub_name});
  say({250, {}, settings.hub_name + extensions()});
}

std::string ServerMachine::State::extensions() const {
  auto offered = "\nPIPELINING\nSIZE " + std::to_string(settings.max_message_size) +
                 "\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nDSN\nCHUNKING";
  offered += "\nLIMITS RCPTMAX=" + std::to_string(settings.max_recipients);  // RFC 9422
  if (settings.starttls && !secure) offered += "\nSTARTTLS";
  if (secure) offered += "\nREQUIRETLS";  // RFC 8689 2: under TLS alone
  if (settings.authentication && secure) offered += "\nAUTH PLAIN LOGIN";
  if (settings.xforward) offered += "\nXFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE";
  return offered;
}

void ServerMachine::State::mail(std::string_view argument) {
  if (client_name.empty())
    return refuse(wrong_order(lmtp() ? "send LHLO first" : "send EHLO first"), "sequence");
  if (in_transaction) return refuse(wrong_order("a transaction is under way"), "sequence");
  const auto text = path_behind(argument, "FROM:");
  const auto path = text ? parse_reverse_path(*text) : std::nullopt;
  if (!path) return refuse({501, "5.1.7", "malformed sender"}, "syntax");
  const auto parsed = parse_mail_parameters(path->rest, {secure, settings.authentication && secure});
  if (const auto* refusal = std::get_if<Reply>(&parsed)) return refuse(*refusal, "parameter");
  const auto& parameters = std::get<MailParameters>(parsed);
  if (!extended && !path->rest.empty()) return refuse({555, "5.5.4", "parameters want EHLO"}, "parameter");
  if (has_non_ascii(path->address) && !parameters.smtputf8) return refuse(not_utf8(), "smtputf8");
  if (parameters.size.value_or(0) > settings.max_message_size) {
    return refuse({552, "5.3.4", "message too large"}, "size");
  }
  envelope.sender = path->address;
  envelope.body_type = parameters.body_type.value_or(dumpster::BodyType::seven_bit);
  envelope.smtputf8 = parameters.smtputf8;
  envelope.require_tls = parameters.require_tls;
  envelope.notify_return = parameters.notify_return;
  envelope.envelope_id = parameters.envelope_id.value_or("");
  declared_size = parameters.size.value_or(0);
  ask(Question::sender, CheckSender{envelope.sender});
}

void ServerMachine::State::count_refusal(const Reply& reply) {
  if (reply.code < 500 || ++refusals < settings.max_refusals) return say(reply);
  say({421, "4.7.0", "too many refused recipients"});
  close();
}

void ServerMachine::State::answered_sender(const Reply& reply) {
  in_transaction = reply.code < 300;
  if (in_transaction) return say(reply);
  reset();
  count_refusal(reply);
}

void ServerMachine::State::recipient(std::string_view argument) {
  if (!in_transaction) return refuse(wrong_order("send MAIL first"), "sequence");
  if (body != Body::none) return refuse(wrong_order("the message has begun"), "sequence");
  const auto text = path_behind(argument, "TO:");
  const auto path = text ? parse_forward_path(*text) : std::nullopt;
  if (!path) return refuse({501, "5.1.3", "malformed recipient"}, "syntax");
  const auto parsed = parse_recipient_parameters(path->rest, envelope.smtputf8);
  if (const auto* refusal = std::get_if<Reply>(&parsed)) return refuse(*refusal, "parameter");
  if (!extended && !path->rest.empty()) return refuse({555, "5.5.4", "parameters want EHLO"}, "parameter");
  if (has_non_ascii(path->address) && !envelope.smtputf8) return refuse(not_utf8(), "smtputf8");
  if (envelope.recipients.size() >= settings.max_recipients) {
    // No error of the client's: it sends the rest in another transaction (RFC 5321 4.5.3.1.10).
    act(Refused{"too_many_recipients"});
    return say({452, "4.5.3", "too many recipients"});
  }
  const auto& parameters = std::get<RecipientParameters>(parsed);
  asked = {path->address, path->address, parameters.original_recipient.value_or(""), parameters.notify};
  ask(Question::recipient, CheckRecipient{{asked.address, asked.original_recipient, asked.notify}});
}

void ServerMachine::State::answered_recipient(const Reply& reply) {
  if (reply.code >= 300) return count_refusal(reply);
  envelope.recipients.push_back(std::move(asked));
  say(reply);
}

}  // namespace relay::smtp
