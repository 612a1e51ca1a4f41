#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/fields.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

using recovery::absent_report_from;
using recovery::Refusal;
using recovery::resubmission_from;

namespace {

const std::string id = "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10";
const std::string window = R"("from":"2026-01-31T00:00:00Z","until":"2026-02-01T00:00:00.5+01:00")";

/// What a body is refused with; empty when it is taken.
template <class Read>
std::string refusal_of(Read read) {
  try {
    read();
  } catch (const Refusal& refusal) {
    CHECK(refusal.response().status == 400);
    return refusal.what();
  }
  return {};
}

std::string resubmission_refusal(const std::string& body, bool agent = false) {
  return refusal_of([&] { resubmission_from(body, agent); });
}

std::string with_item(const std::string& item) {
  return "{\"key\":\"k\"," + window + ",\"deliveries\":[" + item + "]}";
}

}  // namespace

TEST_CASE("a resubmission is read with everything it may say") {
  const auto request =
      resubmission_from("{\"key\":\"k\"," + window +
                            R"(,"node":"node2","term":7,"recipient":"a@b","message_id":"<x@y>",)"
                            R"("deliveries":[{"delivery_id":")" +
                            id + R"(","attempt":2,"recipients":["a@b"],"outcome":"present"}]})",
                        true);
  CHECK(request.key == "k");
  CHECK(dumpster::to_rfc3339(request.from) == "2026-01-31T00:00:00.000000Z");
  CHECK(dumpster::to_rfc3339(request.until) == "2026-01-31T23:00:00.500000Z");
  CHECK(request.by_agent);
  CHECK(request.node == "node2");
  CHECK(request.term == 7U);
  CHECK(request.recipient == "a@b");
  CHECK(request.message_id == "x@y");
  REQUIRE(request.items->size() == 1);
  const auto& item = request.items->front();
  CHECK(to_string(item.delivery_id) == id);
  CHECK(item.attempt == 2U);
  CHECK(item.recipients == std::vector<std::string>{"a@b"});
  CHECK(item.outcome == dumpster::ResubmissionItem::Outcome::present);
}

TEST_CASE("a resubmission of a window names no deliveries") {
  const auto request = resubmission_from("{\"key\":\"k\"," + window + ",\"message_id\":\"x@y\"}", false);
  CHECK_FALSE(request.items);
  CHECK(request.message_id == "x@y");
}

TEST_CASE("a resubmission that is not whole is refused with what is wrong") {
  CHECK(resubmission_refusal("{" + window + "}") == "key is missing");
  CHECK(resubmission_refusal("{\"key\":\"\"," + window + "}") == "key is empty");
  CHECK(resubmission_refusal("{\"key\":\"" + std::string(201, 'k') + "\"," + window + "}") ==
        "key is longer than 200 bytes");
  CHECK(resubmission_refusal("{\"key\":\"" + std::string(200, 'k') + "\"," + window + "}").empty());
  CHECK(resubmission_refusal("{\"key\":7," + window + "}") == "key is not a string");
  CHECK(resubmission_refusal(R"({"key":"k","from":"2026-01-31T00:00:00Z"})") == "until is missing");
  CHECK(resubmission_refusal(R"({"key":"k","from":"2026-01-31","until":"2026-01-31T00:00:00Z"})") ==
        "from is not an instant of RFC 3339");
  CHECK(resubmission_refusal(R"({"key":"k","from":"2026-01-31T00:00:01Z","until":"2026-01-31T00:00:00Z"})") ==
        "until is before from");
  CHECK(resubmission_refusal("{\"key\":\"k\"," + window + ",\"dry_run\":true}") ==
        "dry_run is not a member of this request");
  CHECK(resubmission_refusal("{\"key\":\"k\"," + window + ",\"term\":1.5}") ==
        "term is not a whole number from 0 on");
  CHECK(resubmission_refusal("{\"key\":\"k\"," + window + ",\"node\":null}") == "node is not a string");
  CHECK(resubmission_refusal("{\"key\":\"k\"," + window + ",\"deliveries\":{}}") ==
        "deliveries is not a list");
}

TEST_CASE("an item that is not whole is refused with its place") {
  CHECK(resubmission_refusal(with_item("1")) == "deliveries[0] is not an object");
  CHECK(resubmission_refusal(with_item("{}")) == "deliveries[0].delivery_id is missing");
  CHECK(resubmission_refusal(with_item(R"({"delivery_id":"x"})")) ==
        "deliveries[0].delivery_id is not a UUID");
  const std::string head = "{\"delivery_id\":\"" + id + "\"";
  CHECK(resubmission_refusal(with_item(head + "}," + head + ",\"x\":1}")) ==
        "deliveries[1].x is not a member of this request");
  CHECK(resubmission_refusal(with_item(head + ",\"recipients\":[]}")) ==
        "deliveries[0].recipients is empty; leave it out for all recipients");
  CHECK(resubmission_refusal(with_item(head + ",\"recipients\":[1]}")) ==
        "deliveries[0].recipients is not a list of addresses");
  CHECK(resubmission_refusal(with_item(head + ",\"outcome\":\"lost\"}")) ==
        "deliveries[0].outcome is neither deliver nor present");
  CHECK(resubmission_refusal(with_item(head + ",\"attempt\":4294967296}")) ==
        "deliveries[0].attempt is above 4294967295");
}

TEST_CASE("a report of what is absent takes no attempt and no outcome") {
  const auto body = [](const std::string& more) {
    return R"({"node":"node1","term":1,"deliveries":[{"delivery_id":")" + id + "\"" + more + "}]}";
  };
  CHECK(absent_report_from(body("")).items.size() == 1);
  CHECK(refusal_of([&] { absent_report_from(body(",\"outcome\":\"present\"")); }) ==
        "deliveries[0].outcome is not a member of this request");
}

TEST_CASE("JSON that is deep, endless or none is refused") {
  const auto refused = [](const std::string& body) {
    return refusal_of([&] { recovery::parse_object(body); });
  };
  CHECK_FALSE(refused("").empty());
  CHECK_FALSE(refused("nonsense").empty());
  CHECK_FALSE(refused("{} {}").empty());
  CHECK_FALSE(refused("{\"a\":\"\xff\"}").empty());
  CHECK_FALSE(refused("{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}").empty());
  CHECK(refused("[]") == "the body is not a JSON object");
}

TEST_CASE("bytes of mail that are not UTF-8 do not break a line of JSON") {
  CHECK(recovery::utf8("a\xff"
                       "b") ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(recovery::utf8("\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7") == "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7");
  CHECK(recovery::utf8("\xc0\xaf") == "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong
  CHECK(recovery::utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  CHECK(recovery::utf8("\xe2\x82") == "\xef\xbf\xbd\xef\xbf\xbd");                  // cut
  dumpster::Delivery delivery;
  delivery.message_id = "\xff\"\n";
  CHECK(boost::json::serialize(recovery::document_of(delivery)).find('\n') == std::string::npos);
}
