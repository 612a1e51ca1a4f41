#include "recovery/agent/order_body.hpp"

#include <boost/json.hpp>

namespace recovery::agent {
namespace {

namespace json = boost::json;
using Outcome = dumpster::ResubmissionItem::Outcome;

std::string_view name_of(Outcome outcome) {
  return outcome == Outcome::deliver ? "deliver" : "present";
}

}  // namespace

std::string order_body(const OrderHead& head, const std::vector<Decision>& decisions) {
  json::array deliveries;
  for (const Decision& decision : decisions) {
    json::array recipients;
    for (const ListedRecipient& recipient : decision.recipients)
      recipients.emplace_back(recipient.address);
    deliveries.push_back({{"delivery_id", dumpster::to_string(decision.delivery_id)},
                          {"attempt", decision.attempt},
                          {"recipients", std::move(recipients)},
                          {"outcome", name_of(decision.outcome)}});
  }
  return json::serialize(json::object{{"key", head.key},
                                      {"from", dumpster::to_rfc3339(head.from)},
                                      {"until", dumpster::to_rfc3339(head.until)},
                                      {"node", head.node},
                                      {"term", head.term},
                                      {"deliveries", std::move(deliveries)}});
}

OrderContent content_of_order(const std::string& body) {
  OrderContent content;
  json::error_code error;
  const json::value order = json::parse(body, error);
  if (error || !order.is_object() || !order.get_object().contains("deliveries")) return content;
  const auto from = dumpster::from_rfc3339(std::string_view{order.at("from").as_string()});
  for (const json::value& entry : order.at("deliveries").as_array()) {
    const auto id = dumpster::uuid_from(std::string_view{entry.at("delivery_id").as_string()});
    if (std::string_view{entry.at("outcome").as_string()} == name_of(Outcome::present)) {
      content.settled += entry.at("recipients").as_array().size();
    } else if (id && from) {
      Decision decision;
      decision.delivery_id = *id;
      decision.delivered_at = *from;
      for (const json::value& address : entry.at("recipients").as_array())
        decision.recipients.push_back({std::string{address.as_string()}, {}});
      content.deliver.push_back(std::move(decision));
    }
  }
  return content;
}

}  // namespace recovery::agent
