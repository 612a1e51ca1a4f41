#include "recovery/agent/report.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace recovery::agent;

TEST_CASE("a report is a line a hub and a total for people, and the same as JSON") {
  Report report;
  report.operation = "promote";
  report.cluster = "ccr1";
  report.node = "node2";
  report.term = 3;
  report.unfenced = true;
  report.hubs.resize(2);
  report.hubs[0].address = "http://hub1";
  report.hubs[0].listed = 7;
  report.hubs[0].resubmitted = 2;
  report.hubs[1].address = "http://hub2";
  report.hubs[1].listed = 5;
  report.hubs[1].trouble = "out of reach";
  report.hubs[1].remembered = true;
  const std::string text = to_text(report);
  CHECK(text.find("http://hub1: listed 7, ") != std::string::npos);
  CHECK(text.find("total: listed 12, ") != std::string::npos);
  CHECK(text.find("unfenced") != std::string::npos);
  CHECK(text.find("remembered") != std::string::npos);
  const boost::json::value json = boost::json::parse(to_json(report));
  CHECK(json.at("total").at("listed").to_number<int>() == 12);
  CHECK(json.at("exit_status").to_number<int>() == 2);
  CHECK(json.at("hubs").as_array().size() == 2);
}
