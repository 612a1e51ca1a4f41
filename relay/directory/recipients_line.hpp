#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "relay/directory/recipient_table.hpp"

namespace relay {

/// One line of a recipients file, checked.
struct RecipientsLine {
  std::string key;  ///< address without needless quotes, or `@domain`, in lower case
  std::variant<std::vector<std::string>, Route> target;  ///< targets of an alias, or a route
  std::string mailbox;                                   ///< third column; empty when there is none
};

struct BlankLine {};

/// What is wrong with a line.
struct LineFault {
  std::string text;
};

/// Reads one line without its end. Whether a storage group is configured is not looked at.
std::variant<RecipientsLine, BlankLine, LineFault> read_recipients_line(std::string_view line);

/// The targets of an alias: addresses separated by commas outside quotes. Empty parts are kept.
std::vector<std::string> split_targets(std::string_view text);

/// The form in which an address is looked up.
std::string key_of(std::string_view local, std::string_view domain);

}  // namespace relay
