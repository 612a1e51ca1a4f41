#include "relay/directory/ldap/filter.hpp"

#include <algorithm>
#include <cctype>

#include "relay/directory/address.hpp"

namespace relay::ldap {
namespace {

constexpr std::size_t deepest = 32;

bool is_hexadecimal(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

bool is_attribute_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == ';' ||
         c == ':';
}

/// The grammar of RFC 4515 3, as far as it takes to find what a server would refuse.
class Syntax {
 public:
  explicit Syntax(std::string_view text) : text_(text) {}

  bool good() { return filter(0) && at_ == text_.size(); }

 private:
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool filter(std::size_t depth) {
    if (depth == deepest || !take('(')) return false;
    bool good = false;
    if (take('&') || take('|')) {
      good = filter(depth + 1);
      while (good && at_ < text_.size() && text_[at_] == '(')
        good = filter(depth + 1);
    } else if (take('!')) {
      good = filter(depth + 1);
    } else {
      good = item();
    }
    return good && take(')');
  }

  bool item() {
    const auto begin = at_;
    while (at_ < text_.size() && is_attribute_character(text_[at_]))
      ++at_;
    if (at_ == begin) return false;
    if (at_ < text_.size() && (text_[at_] == '~' || text_[at_] == '<' || text_[at_] == '>')) ++at_;
    return take('=') && value();
  }

  bool value() {
    for (; at_ < text_.size() && text_[at_] != '(' && text_[at_] != ')'; ++at_) {
      if (text_[at_] != '\\') continue;
      if (at_ + 2 >= text_.size() || !is_hexadecimal(text_[at_ + 1]) || !is_hexadecimal(text_[at_ + 2]))
        return false;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct Parts {
  std::string_view whole;
  std::optional<std::string> local;
  std::optional<std::string> domain;
};

Parts parts_of(std::string_view key) {
  Parts parts;
  parts.whole = key;
  if (!key.empty() && key.front() == '@') {
    parts.domain = key.substr(1);
    return parts;
  }
  const auto address = address_from(key);
  if (!address) return parts;
  parts.local = address->local;
  if (!address->domain.empty()) parts.domain = address->domain;
  return parts;
}

}  // namespace

std::string escaped(std::string_view value) {
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string result;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '*' && c != '(' && c != ')' && c != '\\') {
      result += c;
      continue;
    }
    result += '\\';
    result += digits[byte >> 4];
    result += digits[byte & 0xf];
  }
  return result;
}

std::variant<FilterTemplate, FilterFault> FilterTemplate::parse(std::string_view text) {
  FilterTemplate made;
  made.text_ = text;
  bool of_one_recipient = false;
  std::string sample;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      sample += text[i];
      continue;
    }
    const char kind = ++i < text.size() ? text[i] : '\0';
    if (std::string_view{"sud%"}.find(kind) == std::string_view::npos || kind == '\0')
      return FilterFault{"has a % that is none of %s, %u, %d and %%"};
    of_one_recipient = of_one_recipient || kind == 's' || kind == 'u';
    sample += kind == '%' ? '%' : 'x';
  }
  if (!Syntax{sample}.good()) return FilterFault{"is not a search filter like (mail=%s) (RFC 4515)"};
  if (!of_one_recipient) return FilterFault{"has neither %s nor %u: it would find the same for everybody"};
  return made;
}

std::optional<std::string> FilterTemplate::fill(std::string_view key) const {
  const auto parts = parts_of(key);
  std::string filter;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] != '%') {
      filter += text_[i];
      continue;
    }
    switch (text_[++i]) {
      case 's':
        filter += escaped(parts.whole);
        break;
      case 'u':
        if (!parts.local) return std::nullopt;
        filter += escaped(*parts.local);
        break;
      case 'd':
        if (!parts.domain) return std::nullopt;
        filter += escaped(*parts.domain);
        break;
      default:
        filter += '%';
    }
  }
  return filter;
}

}  // namespace relay::ldap
