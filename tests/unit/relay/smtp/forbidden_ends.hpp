#pragma once

#include <string>
#include <vector>

namespace relay::smtp {

struct ForbiddenEnd {
  std::string name;
  std::string bytes;
};

/// What some server somewhere has taken for the end of data and must not be one.
inline std::vector<ForbiddenEnd> forbidden_ends() {
  const std::string nul(1, '\0');
  return {{"LF.LF", "\n.\n"},
          {"LF.CR", "\n.\r"},
          {"CR.LF", "\r.\n"},
          {"CR.CR", "\r.\r"},
          {"LF.CRLF", "\n.\r\n"},
          {"CR.CRLF", "\r.\r\n"},
          {"CRLF.LF", "\r\n.\n"},
          {"CRLF.CR", "\r\n.\r"},
          {"CRLF NUL.CRLF", "\r\n" + nul + ".\r\n"},
          {"CRLF. NUL CRLF", "\r\n." + nul + "\r\n"},
          {"CRLF.CRCRLF", "\r\n.\r\r\n"},
          {"CRCRLF.CRCRLF", "\r\r\n.\r\r\n"}};
}

}  // namespace relay::smtp
