#include <catch2/catch.hpp>

#include "recovery/http/router.hpp"

using recovery::http::parse_query;
using recovery::http::percent_decode;
using recovery::http::Router;

namespace {

Router routes() {
  Router router;
  router.add("GET", "/v1/clusters/{c}", nullptr);
  router.add("POST", "/v1/clusters/{c}/hold", nullptr, 10);
  router.add("PUT", "/v1/clusters/{c}/hold", nullptr, 20);
  router.add("GET", "/v1/clusters/{c}/groups/{g}", nullptr);
  return router;
}

}  // namespace

TEST_CASE("a route is found by method and path, with its parameters decoded") {
  const auto router = routes();
  const auto match = router.find("GET", "/v1/clusters/ccr%201/groups/s%2Fg");
  const auto* found = std::get_if<Router::Found>(&match);
  REQUIRE(found != nullptr);
  CHECK(found->parameters.at("c") == "ccr 1");
  CHECK(found->parameters.at("g") == "s/g");  // decoded behind the split: no segment is made of it
  const auto put = router.find("PUT", "/v1/clusters/a/hold");
  REQUIRE(std::holds_alternative<Router::Found>(put));
  CHECK(std::get<Router::Found>(put).route->max_body == 20);
}

TEST_CASE("a path without a route is not found, nor one with an empty or endless parameter") {
  const auto router = routes();
  for (const std::string& path : {std::string{"/"}, std::string{""}, std::string{"/v1/clusters"},
                                  std::string{"/v1/clusters/"}, std::string{"/v1/clusters/a/"},
                                  std::string{"/V1/clusters/a"}, "/v1/clusters/" + std::string(256, 'a')}) {
    CAPTURE(path);
    CHECK(std::holds_alternative<Router::NotFound>(router.find("GET", path)));
  }
  CHECK(std::holds_alternative<Router::Found>(router.find("GET", "/v1/clusters/" + std::string(255, 'a'))));
}

TEST_CASE("a path with other methods names them") {
  const auto router = routes();
  const auto match = router.find("GET", "/v1/clusters/a/hold");
  REQUIRE(std::holds_alternative<Router::OtherMethods>(match));
  CHECK(std::get<Router::OtherMethods>(match).allowed == "POST, PUT");
}

TEST_CASE("broken percent signs and control characters are malformed") {
  const auto router = routes();
  for (const char* path :
       {"/v1/clusters/%", "/v1/clusters/%4", "/v1/clusters/%zz", "/v1/clusters/%00", "/v1/clusters/%0a"}) {
    CAPTURE(path);
    CHECK(std::holds_alternative<Router::Malformed>(router.find("GET", path)));
  }
}

TEST_CASE("a query is decoded, and a plus stays one") {
  const auto query =
      parse_query("from=2026-01-31T12:00:00%2b01:00&until=2026-01-31T12:00:00+01:00&empty&x=a%3Db");
  REQUIRE(query);
  CHECK(*query == std::vector<std::pair<std::string, std::string>>{{"from", "2026-01-31T12:00:00+01:00"},
                                                                   {"until", "2026-01-31T12:00:00+01:00"},
                                                                   {"empty", ""},
                                                                   {"x", "a=b"}});
  CHECK_FALSE(parse_query("a=%f"));
  CHECK(parse_query("")->empty());
  CHECK(*percent_decode("%C3%A4") == "\xc3\xa4");
}
