// A line of a recipients file. What was taken is looked up under a key in lower case, leads somewhere, and
// has no control characters in it.
#include <algorithm>
#include <string>

#include "relay/directory/recipients_line.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}

bool has_capital(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto read = relay::read_recipients_line(text);
  if (const auto* fault = std::get_if<relay::LineFault>(&read)) HOLDS(!fault->text.empty());
  const auto* line = std::get_if<relay::RecipientsLine>(&read);
  if (line == nullptr) return 0;
  HOLDS(line->key.find('@') != std::string::npos || line->key == "postmaster");
  HOLDS(!has_control(line->key) && !has_capital(line->key));
  HOLDS(!has_control(line->mailbox));
  if (const auto* targets = std::get_if<std::vector<std::string>>(&line->target)) {
    HOLDS(!targets->empty());
    for (const auto& target : *targets)
      HOLDS(!target.empty() && !has_control(target));
  }
  return 0;
}
