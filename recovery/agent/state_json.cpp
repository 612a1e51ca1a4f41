#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "recovery/agent/state.hpp"

namespace recovery::agent {
namespace {

namespace json = boost::json;

constexpr std::uint64_t format = 2;  // 1: without active_term and marker
constexpr std::array<std::pair<Role, std::string_view>, 3> roles{
    {{Role::unknown, "unknown"}, {Role::active, "active"}, {Role::passive, "passive"}}};

Role role_from(std::string_view text) {
  for (const auto& [role, name] : roles) {
    if (name == text) return role;
  }
  throw std::invalid_argument("no such role");
}

dumpster::Instant instant_from(const json::value& value) {
  const auto instant = dumpster::from_rfc3339(std::string_view{value.as_string()});
  if (!instant) throw std::invalid_argument("not a time");
  return *instant;
}

dumpster::Duration duration_from(const json::value& microseconds) {
  return dumpster::Duration{microseconds.to_number<std::int64_t>()};
}

std::string text_of(const json::value& value) {
  return std::string{value.as_string()};
}

json::value promote_to(const PendingPromote& promote) {
  json::object hubs;
  for (const auto& [address, progress] : promote.hubs) {
    json::object one{{"activated", progress.activated}, {"filled", progress.filled}};
    if (progress.given_up) one["given_up"] = true;
    hubs[address] = std::move(one);
  }
  return {{"term", promote.term},
          {"kind", to_string(promote.kind)},
          {"started", dumpster::to_rfc3339(promote.started)},
          {"inventory_kept", promote.inventory_kept},
          {"hubs", std::move(hubs)}};
}

PendingPromote promote_from(const json::object& object) {
  PendingPromote promote;
  promote.term = object.at("term").to_number<std::uint64_t>();
  const auto kind = dumpster::activation_kind_from(std::string_view{object.at("kind").as_string()});
  if (!kind) throw std::invalid_argument("no such kind");
  promote.kind = *kind;
  promote.started = instant_from(object.at("started"));
  if (const json::value* kept = object.if_contains("inventory_kept"))
    promote.inventory_kept = kept->as_bool();
  for (const auto& entry : object.at("hubs").as_object()) {
    HubProgress progress;
    progress.activated = entry.value().at("activated").as_bool();
    progress.filled = entry.value().at("filled").as_bool();
    if (const json::value* given_up = entry.value().as_object().if_contains("given_up"))
      progress.given_up = given_up->as_bool();
    promote.hubs[std::string{entry.key()}] = progress;
  }
  return promote;
}

KnownHub known_hub_from(const json::object& object) {
  KnownHub hub;
  hub.store_id = text_of(object.at("store_id"));
  hub.sequence = object.at("sequence").to_number<std::uint64_t>();
  if (const json::value* lost = object.if_contains("lost_before")) hub.lost_before = instant_from(*lost);
  if (const json::value* kept = object.if_contains("retention")) hub.retention = duration_from(*kept);
  return hub;
}

NeverAsked never_asked_from(const json::object& object) {
  NeverAsked hub;
  hub.before = instant_from(object.at("before"));
  hub.retention = duration_from(object.at("retention"));
  return hub;
}

void read_activity(const json::object& object, State& state) {
  state.marker = text_of(object.at("marker"));
  const json::value& activity = object.at("activity");
  state.active_term = activity.at("term").to_number<std::uint64_t>();
  const auto kind = dumpster::activation_kind_from(std::string_view{activity.at("kind").as_string()});
  if (!kind) throw std::invalid_argument("no such kind");
  state.active_kind = *kind;
  state.active_started = instant_from(activity.at("started"));
  for (const auto& entry : activity.at("since").as_object())
    state.active_since[std::string{entry.key()}] = instant_from(entry.value());
}

json::value activity_to(const State& state) {
  json::object since;
  for (const auto& [address, instant] : state.active_since)
    since[address] = dumpster::to_rfc3339(instant);
  return {{"term", state.active_term},
          {"kind", to_string(state.active_kind)},
          {"started", dumpster::to_rfc3339(state.active_started)},
          {"since", std::move(since)}};
}

State state_from(const json::object& object) {
  const auto version = object.at("format").to_number<std::uint64_t>();
  if (version != 1 && version != format) throw std::invalid_argument("of another version");
  State state;
  state.cluster = text_of(object.at("cluster"));
  state.node = text_of(object.at("node"));
  state.highest_term = object.at("highest_term").to_number<std::uint64_t>();
  for (const json::value& node : object.at("nodes").as_array())
    state.nodes.push_back(text_of(node));
  state.role = role_from(object.at("role").as_string());
  if (version == format) read_activity(object, state);
  if (const json::value* promote = object.if_contains("promote"))
    state.promote = promote_from(promote->as_object());
  for (const json::value& entry : object.at("orders").as_array()) {
    PendingOrder order;
    order.hub = text_of(entry.at("hub"));
    order.group = text_of(entry.at("group"));
    order.term = entry.at("term").to_number<std::uint64_t>();
    order.key = text_of(entry.at("key"));
    order.body = text_of(entry.at("body"));
    state.orders.push_back(std::move(order));
  }
  for (const auto& entry : object.at("hubs").as_object()) {
    state.hubs[std::string{entry.key()}] = known_hub_from(entry.value().as_object());
  }
  if (const json::value* never = object.if_contains("never_asked")) {
    for (const auto& entry : never->as_object())
      state.never_asked[std::string{entry.key()}] = never_asked_from(entry.value().as_object());
  }
  return state;
}

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& [known, name] : roles) {
    if (known == role) return name;
  }
  return "unknown";
}

bool PendingPromote::done() const {
  return std::all_of(hubs.begin(), hubs.end(), [](const auto& hub) { return hub.second.settled(); });
}

void State::drop_pending() {
  promote.reset();
  orders.clear();
  never_asked.clear();
}

std::string to_json(const State& state) {
  json::array orders;
  for (const PendingOrder& order : state.orders) {
    orders.push_back({{"hub", order.hub},
                      {"group", order.group},
                      {"term", order.term},
                      {"key", order.key},
                      {"body", order.body}});
  }
  json::object hubs;
  for (const auto& [address, hub] : state.hubs) {
    json::object known{{"store_id", hub.store_id}, {"sequence", hub.sequence}};
    if (hub.lost_before) known["lost_before"] = dumpster::to_rfc3339(*hub.lost_before);
    if (hub.retention) known["retention"] = hub.retention->count();
    hubs[address] = std::move(known);
  }
  json::object never_asked;
  for (const auto& [address, hub] : state.never_asked)
    never_asked[address] = {{"before", dumpster::to_rfc3339(hub.before)},
                            {"retention", hub.retention.count()}};
  json::object object{{"format", format},
                      {"cluster", state.cluster},
                      {"node", state.node},
                      {"highest_term", state.highest_term},
                      {"nodes", json::value_from(state.nodes)},
                      {"role", to_string(state.role)},
                      {"activity", activity_to(state)},
                      {"marker", state.marker},
                      {"orders", std::move(orders)},
                      {"hubs", std::move(hubs)},
                      {"never_asked", std::move(never_asked)}};
  if (state.promote) object["promote"] = promote_to(*state.promote);
  return json::serialize(object);
}

dumpster::Result<State> state_from_json(std::string_view text) {
  try {
    return state_from(json::parse(text).as_object());
  } catch (const std::exception& fault) {
    return dumpster::Error{dumpster::Fault::damaged, fault.what()};
  }
}

}  // namespace recovery::agent
