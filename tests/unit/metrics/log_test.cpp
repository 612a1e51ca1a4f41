#include "metrics/log.hpp"

#include <catch2/catch.hpp>

using metrics::log_line;

TEST_CASE("a log line is an event and its fields") {
  CHECK(log_line("accepted", {{"id", "x1"}, {"size", 42}}) == "event=accepted id=x1 size=42");
}

TEST_CASE("values with blanks, quotes or nothing in them are quoted") {
  CHECK(log_line("spool loaded", {{"a", "b c"}, {"d", ""}, {"e", "say \"x\"\\"}}) ==
        R"(event="spool loaded" a="b c" d="" e="say \"x\"\\")");
}

TEST_CASE("no peer can forge a line: control characters are escaped") {
  CHECK(log_line("refused", {{"reply", "550 no\r\nevent=forged\x7f"}}) ==
        R"(event=refused reply="550 no\x0d\x0aevent=forged\x7f")");
}
