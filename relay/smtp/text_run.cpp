#include "relay/smtp/text_run.hpp"

#include <cstring>

namespace relay::smtp {
namespace {

const char* find(const char* begin, const char* end, char wanted) {
  if (begin == end) return nullptr;
  return static_cast<const char*>(std::memchr(begin, wanted, static_cast<std::size_t>(end - begin)));
}

}  // namespace

TextRun scan_text(std::string_view text, bool stop_at_dots) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* line = begin;
  const auto until = [begin](const char* stop) {
    return std::string_view{begin, static_cast<std::size_t>(stop - begin)};
  };
  while (line != end) {
    if (stop_at_dots && line != begin && *line == '.') break;
    const char* const lf = find(line, end, '\n');
    const char* const stop = lf != nullptr ? lf : end;
    const char* const cr = find(line, stop, '\r');
    const char* const nul = find(line, cr != nullptr ? cr : stop, '\0');
    if (nul != nullptr) return {until(nul), TextRun::Stop::nul};
    if (cr != nullptr && cr + 1 != stop) return {until(cr), TextRun::Stop::bare_cr};
    if (lf == nullptr && cr == nullptr) return {until(end), TextRun::Stop::text_end};
    if (lf == nullptr) return {until(cr), TextRun::Stop::pending_cr};
    if (cr == nullptr) return {until(lf), TextRun::Stop::bare_lf};
    line = lf + 1;
  }
  return {until(line), TextRun::Stop::line_end};
}

}  // namespace relay::smtp
