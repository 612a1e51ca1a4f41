#include "relay/directory/address.hpp"

#include <algorithm>

namespace relay {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// atext of RFC 5322 3.2.3, with the bytes of UTF-8 (RFC 6531 3.3).
bool is_atom_character(char c) {
  if (static_cast<unsigned char>(c) >= 0x80 || is_alphanumeric(c)) return true;
  return std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_atom_character(c); });
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  if (text.front() == '[') {
    if (text.size() < 3 || text.back() != ']') return false;
    text = text.substr(1, text.size() - 2);
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_alphanumeric(c) || c == '.' || c == ':'; });
  }
  if (text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
  });
}

/// What a quoted string says; nothing when it is not one from its first to its last character.
std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  std::string content;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' || is_control(text[i])) return std::nullopt;
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || is_control(text[i])) return std::nullopt;
    }
    content += text[i];
  }
  return content;
}

/// Place of the `@` between local part and domain.
std::size_t separator_of(std::string_view text) {
  if (text.empty() || text.front() != '"') return text.rfind('@');
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1 < text.size() && text[i + 1] == '@' ? i + 1 : std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view Address::base() const {
  const auto plus = local.find('+');
  if (plus == 0 || plus == std::string::npos) return local;
  return std::string_view{local}.substr(0, plus);
}

std::string_view Address::detail() const {
  const auto plus = local.find('+');
  if (plus == 0 || plus == std::string::npos) return {};
  return std::string_view{local}.substr(plus + 1);
}

bool Address::plain() const {
  return !local.empty() && std::none_of(local.begin(), local.end(), [](char c) {
    return c == '%' || c == '!' || c == '@' || is_control(c);
  });
}

std::optional<Address> address_from(std::string_view text) {
  if (lower_case(text) == "postmaster") return Address{std::string{text}, {}};
  const auto at = separator_of(text);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  Address address;
  const auto local = text.substr(0, at);
  // Longer than RFC 5321 4.5.3.1.1 asks for, since list software writes long return addresses.
  if (local.size() > 255) return std::nullopt;
  if (local.front() == '"') {
    auto content = unquote(local);
    if (!content) return std::nullopt;
    address.local = std::move(*content);
  } else {
    if (!is_dot_atom(local)) return std::nullopt;
    address.local = local;
  }
  if (!is_domain(text.substr(at + 1))) return std::nullopt;
  address.domain = lower_case(text.substr(at + 1));
  return address;
}

std::string to_address(std::string_view local, std::string_view domain) {
  std::string text;
  if (is_dot_atom(local)) {
    text = local;
  } else {
    text += '"';
    for (const char c : local) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  if (!domain.empty()) {
    text += '@';
    text += domain;
  }
  return text;
}

}  // namespace relay
