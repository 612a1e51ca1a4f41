#include "recovery/agent/delivery_id_field.hpp"

#include <catch2/catch.hpp>

using recovery::agent::delivery_id_in_header;
using recovery::agent::delivery_id_in_value;

namespace {

const std::string first = "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10";
const std::string second = "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d11";

}  // namespace

TEST_CASE("only the topmost field of a message counts") {
  const std::string header = "Return-Path: <a@b>\r\nX-Dumpster-Id: hub/" + first + "\r\nX-Dumpster-Id: hub/" +
                             second + "\r\nSubject: x\r\n\r\nbody";
  CHECK(delivery_id_in_header(header) == dumpster::uuid_from(first));
}

TEST_CASE("a topmost field of another form hides those below it") {
  CHECK_FALSE(delivery_id_in_header("X-Dumpster-Id: nonsense\r\nX-Dumpster-Id: hub/" + second + "\r\n\r\n"));
}

TEST_CASE("the field's name is read in any case, its value folded or not, with either end of line") {
  for (const std::string& header :
       {"x-dumpster-id: hub/" + first + "\n\n", "X-DUMPSTER-ID:hub/" + first + "\r\n\r\n",
        "X-Dumpster-Id:\r\n hub/" + first + "\r\n\r\n",
        "X-Dumpster-Id: hub.example.test/\r\n\t" + first + "\r\nA: b\r\n\r\n",
        "X-Dumpster-Id : hub/" + first + "\n"}) {
    CAPTURE(header);
    CHECK(delivery_id_in_header(header) == dumpster::uuid_from(first));
  }
}

TEST_CASE("the body is not read") {
  CHECK_FALSE(delivery_id_in_header("Subject: x\r\n\r\nX-Dumpster-Id: hub/" + first + "\r\n"));
  CHECK_FALSE(delivery_id_in_header("Subject: x\n\nX-Dumpster-Id: hub/" + first + "\n"));
  CHECK_FALSE(delivery_id_in_header("\nX-Dumpster-Id: hub/" + first + "\n"));
}

TEST_CASE("a line that continues another field is not ours") {
  CHECK_FALSE(delivery_id_in_header("Subject: x\r\n X-Dumpster-Id: hub/" + first + "\r\n\r\n"));
}

TEST_CASE("only the UUID of a value counts, whatever the hub is called") {
  CHECK(delivery_id_in_value(" old-name.example.test/" + first + "\r") == dumpster::uuid_from(first));
  CHECK_FALSE(delivery_id_in_value(first));
  CHECK_FALSE(delivery_id_in_value("hub/" + first + "0"));
  CHECK_FALSE(delivery_id_in_value(""));
}
