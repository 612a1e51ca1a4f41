#include "relay/directory/recipients_line.hpp"

#include <algorithm>
#include <optional>

#include "relay/directory/address.hpp"

namespace relay {
namespace {

constexpr std::size_t longest_line = 64 * 1024;

/// Goes through `text` and says of each character whether it stands within quotes.
class Quotes {
 public:
  bool within(char c) {
    if (escaped_) {
      escaped_ = false;
      return true;
    }
    if (open_ && c == '\\') {
      escaped_ = true;
      return true;
    }
    if (c == '"') {
      open_ = !open_;
      return true;
    }
    return open_;
  }

 private:
  bool open_ = false;
  bool escaped_ = false;
};

/// Columns of a line; quotes protect blanks and `#`.
std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> columns;
  Quotes quotes;
  std::size_t begin = std::string_view::npos;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool quoted = quotes.within(line[i]);
    if (!quoted && line[i] == '#') {
      line = line.substr(0, i);
      break;
    }
    const bool blank = !quoted && (line[i] == ' ' || line[i] == '\t');
    if (blank && begin != std::string_view::npos) {
      columns.push_back(line.substr(begin, i - begin));
      begin = std::string_view::npos;
    } else if (!blank && begin == std::string_view::npos) {
      begin = i;
    }
  }
  if (begin != std::string_view::npos) columns.push_back(line.substr(begin));
  return columns;
}

/// For a fault: what was read, in quotes, cut.
std::string shown(std::string_view text) {
  std::string result{"\""};
  result += text.substr(0, 80);
  result += text.size() > 80 ? "…\"" : "\"";
  return result;
}

std::optional<std::string> key_from(std::string_view column) {
  if (!column.empty() && column.front() == '@') {
    const auto probe = address_from("x" + std::string{column});
    if (!probe || probe->domain.empty()) return std::nullopt;
    return "@" + probe->domain;
  }
  const auto address = address_from(column);
  if (!address) return std::nullopt;
  return key_of(address->local, address->domain);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::variant<Route, LineFault> route_from(std::string_view column) {
  if (column.find("://") != std::string_view::npos) {
    const auto hop = next_hop_from(column);
    if (!hop) {
      return LineFault{shown(column) + " is not lmtp://HOST[:PORT] or smtp://HOST[:PORT], with ?tls=none, " +
                       "starttls or implicit at the most"};
    }
    return Route{*hop};
  }
  const auto slash = column.find('/');
  if (slash == std::string_view::npos || !is_name(column.substr(0, slash)) ||
      !is_name(column.substr(slash + 1))) {
    return LineFault{shown(column) + " is neither CLUSTER/GROUP nor a next hop nor an alias (=ADDRESS)"};
  }
  return Route{
      dumpster::StorageGroup{std::string{column.substr(0, slash)}, std::string{column.substr(slash + 1)}}};
}

std::variant<std::vector<std::string>, LineFault> targets_from(std::string_view column) {
  auto targets = split_targets(column);
  for (const auto& target : targets) {
    if (!address_from(target)) return LineFault{"the alias' target " + shown(target) + " is not an address"};
  }
  return targets;
}

bool has_control_character(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

}  // namespace

std::string key_of(std::string_view local, std::string_view domain) {
  return lower_case(to_address(local, domain));
}

std::vector<std::string> split_targets(std::string_view text) {
  std::vector<std::string> targets;
  Quotes quotes;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quotes.within(text[i]) || text[i] != ',') continue;
    targets.emplace_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  targets.emplace_back(text.substr(begin));
  return targets;
}

std::variant<RecipientsLine, BlankLine, LineFault> read_recipients_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.size() > longest_line) return LineFault{"longer than 64 KiB"};
  if (has_control_character(line)) return LineFault{"contains a control character"};
  const auto columns = columns_of(line);
  if (columns.empty()) return BlankLine{};
  // Within quotes: inventories tell mailbox and delivery apart by a tab.
  for (const auto& column : columns) {
    if (column.find('\t') != std::string_view::npos) return LineFault{"contains a tab within quotes"};
  }
  auto key = key_from(columns[0]);
  if (!key) return LineFault{shown(columns[0]) + " is neither an address nor @DOMAIN nor postmaster"};
  if (columns.size() < 2) return LineFault{"has no second column: where does the mail go?"};
  if (columns.size() > 3) return LineFault{"has more than three columns"};
  RecipientsLine result;
  result.key = std::move(*key);
  if (columns.size() == 3) result.mailbox = columns[2];
  if (!result.mailbox.empty() && result.key.front() == '@') {
    return LineFault{"a third column has no meaning for a whole domain"};
  }
  if (columns[1].front() == '=') {
    if (!result.mailbox.empty()) return LineFault{"a third column has no meaning for an alias"};
    auto targets = targets_from(columns[1].substr(1));
    if (auto* fault = std::get_if<LineFault>(&targets)) return std::move(*fault);
    result.target = std::move(std::get<std::vector<std::string>>(targets));
    return result;
  }
  auto route = route_from(columns[1]);
  if (auto* fault = std::get_if<LineFault>(&route)) return std::move(*fault);
  result.target = std::move(std::get<Route>(route));
  return result;
}

}  // namespace relay
