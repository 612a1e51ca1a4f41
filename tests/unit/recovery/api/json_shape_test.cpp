#include "recovery/api/json_shape.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

using recovery::json_fault;

namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i)
    result += text;
  return result;
}

/// An activation with this written for its term.
bool takes_term(const std::string& term) {
  try {
    recovery::activation_from(R"({"node":"n","kind":"lossy","term":)" + term + "}");
    return true;
  } catch (const recovery::Refusal& refusal) {
    CHECK(refusal.response().status == 400);
    return false;
  }
}

}  // namespace

TEST_CASE("a member that stands twice in one object is refused, at any depth and however it is written") {
  CHECK_FALSE(json_fault(R"({"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]})"));
  CHECK(json_fault(R"({"a":1,"a":1})"));
  CHECK(json_fault(R"({"a":1,"\u0061":2})"));
  CHECK(json_fault(R"([{"x":{"k":1,"j":2,"k":3}}])")->find("\"k\"") != std::string::npos);
  CHECK(json_fault("{\"" + std::string(2000, 'n') + "\":1}"));
}

TEST_CASE("nesting is bounded, whatever is opened and never closed") {
  CHECK_FALSE(json_fault(repeated("[", 32) + repeated("]", 32)));
  CHECK(json_fault(repeated("[", 33) + repeated("]", 33)));
  CHECK(json_fault(repeated("[", 5'000'000)));
  CHECK(json_fault(repeated("{\"a\":", 1'000'000)));
}

TEST_CASE("what is not JSON is refused") {
  for (const char* text :
       {"",      " ",          "nul",    "{",        "}",           "{\"a\"}", "{\"a\":}",
        "{a:1}", "{'a':1}",    "[1,]",   "[1]x",     "[01]",        "[1e]",    "[+1]",
        "[NaN]", "[Infinity]", "\"\n\"", "\"\xff\"", "\"\\ud800\"", "/*c*/[]", "[1] [2]"}) {
    CAPTURE(text);
    CHECK(json_fault(text));
  }
  CHECK(json_fault(std::string_view{"[\0]", 3}));
}

TEST_CASE("a number is taken as it stands or not at all") {
  CHECK(takes_term("0"));
  CHECK(takes_term("9223372036854775807"));
  for (const char* term : {"9223372036854775808", "18446744073709551615", "18446744073709551616", "1e400",
                           "-1", "-0.0", "1.0", "1e3", "1.5", "\"1\"", "null", "true", "[1]"}) {
    CAPTURE(term);
    CHECK_FALSE(takes_term(term));
  }
  CHECK_FALSE(takes_term(std::string(1'000'000, '9')));
}
