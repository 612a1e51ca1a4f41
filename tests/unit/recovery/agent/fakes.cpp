#include "fakes.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace recovery::agent::test {

using dumpster::DeliveryState;

void World::note(const std::string& event) {
  const std::lock_guard lock{mutex_};
  events_.push_back(event);
}

std::vector<std::string> World::events() const {
  const std::lock_guard lock{mutex_};
  return events_;
}

int World::place_of(const std::string& start) const {
  const auto all = events();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& event) { return event.starts_with(start); });
  return found == all.end() ? -1 : static_cast<int>(found - all.begin());
}

std::size_t World::count_of(const std::string& start) const {
  const auto all = events();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const auto& event) { return event.starts_with(start); }));
}

void World::store(const std::string& mailbox, const dumpster::Uuid& delivery) {
  const std::lock_guard lock{mutex_};
  mail_.emplace_back(mailbox, delivery);
}

void World::remove(const std::string& mailbox, const dumpster::Uuid& delivery) {
  const std::lock_guard lock{mutex_};
  std::erase(mail_, std::pair{mailbox, delivery});
}

std::set<std::string> World::mailboxes() const {
  const std::lock_guard lock{mutex_};
  std::set<std::string> all;
  for (const auto& [mailbox, delivery] : mail_)
    all.insert(mailbox);
  return all;
}

Inventory World::inventory() const {
  const std::lock_guard lock{mutex_};
  Inventory inventory;
  for (const auto& [mailbox, delivery] : mail_)
    inventory.add(mailbox, delivery);
  return inventory;
}

bool FakeClock::pause(dumpster::Duration duration) {
  passed_ += duration.count();
  return !stopped;
}

dumpster::Result<Inventory> FakeInventory::take(const std::set<std::string>& mailboxes,
                                                Instant window_start) {
  const int number = taken++;
  starts.push_back(window_start);
  if (world != nullptr) world->note("look");
  if (fails_from >= 0 && number >= fails_from) {
    return dumpster::Error{dumpster::Fault::unavailable, "scripted failure"};
  }
  Inventory inventory = world == nullptr ? Inventory{} : world->inventory();
  if (static_cast<std::size_t>(number) < looks.size()) {
    inventory = Inventory{};
    for (const auto& [mailbox, delivery] : looks[static_cast<std::size_t>(number)])
      inventory.add(mailbox, id(delivery));
  }
  for (const std::string& mailbox : unknown) {
    if (mailboxes.contains(mailbox)) inventory.set_unknown(mailbox, "scripted");
  }
  return inventory;
}

dumpster::Result<std::optional<std::set<std::string>>> FakeInventory::mailboxes() {
  return std::optional{world->mailboxes()};
}

dumpster::Result<std::optional<std::string>> FakeMarker::read() {
  if (!is_there) return dumpster::Error{dumpster::Fault::unavailable, "the store is not there"};
  return kept;
}

dumpster::Result<void> FakeMarker::write(const std::string& marker) {
  if (!is_there) return dumpster::Error{dumpster::Fault::unavailable, "the store is not there"};
  kept = marker;
  return {};
}

dumpster::Result<Ledger*> FakeLedger::open(const std::string& marker) {
  if (saved.marker() != marker) saved = Ledger{marker};
  ledger = saved;
  return &ledger;
}

dumpster::Result<void> FakeLedger::save() {
  saved = ledger;
  return {};
}

dumpster::Result<void> FakeLedger::compact(const std::map<DumpsterName, Instant>& keep_from,
                                           std::size_t most) {
  ledger.forget(keep_from, most);
  return save();
}

dumpster::Result<State> FakeState::load() {
  if (fails_to_load) return dumpster::Error{dumpster::Fault::damaged, "the state is damaged"};
  return kept;
}

dumpster::Result<void> FakeState::save(const State& state) {
  if (fails_to_save) return dumpster::Error{dumpster::Fault::unavailable, "the disk is full"};
  kept = state;
  const std::uint64_t term = state.promote ? state.promote->term : 0;
  world->note("save term " + std::to_string(term) + " orders " + std::to_string(state.orders.size()));
  return {};
}

HubError FakeHub::unreachable() const {
  HubError error;
  error.detail = "scripted: out of reach";
  return error;
}

HubResult<HubIdentity> FakeHub::hub() {
  if (!reachable) return unreachable();
  identity.now = clock->now();
  return identity;
}

HubResult<ClusterStatus> FakeHub::cluster(const std::string&) {
  if (!reachable) return unreachable();
  note_contact();
  ClusterStatus status;
  status.nodes = nodes;
  status.active = active;
  status.term = term - std::min(term, hidden_term);
  GroupStatus group;
  group.name = "sg1";
  group.max_time = max_time;
  group.covered_from = covered_from;
  for (const ListedDelivery& known : lines)
    group.in_doubt += known.state == DeliveryState::in_doubt ? known.recipients.size() : 0;
  status.groups.push_back(group);
  return status;
}

HubResult<ActivationAnswer> FakeHub::activate(const std::string&, const std::string& node,
                                              std::uint64_t wanted, dumpster::ActivationKind kind) {
  if (!reachable) return unreachable();
  world->note("activate " + address_ + " " + std::to_string(wanted) + " " + std::string{to_string(kind)});
  const bool same = wanted == term && node == active;
  if (wanted <= term && !same) {
    HubError error;
    error.kind = HubError::Kind::refused;
    error.status = 409;
    error.detail = "the hub answered 409";
    error.active = active;
    error.term = term;
    hidden_term = 0;
    return error;
  }
  term = wanted;
  active = node;
  ActivationAnswer answer;
  answer.active = active;
  answer.term = term;
  answer.now = clock->now();
  return answer;
}

HubResult<ListingEnd> FakeHub::list(const dumpster::StorageGroup&, const ListingQuery& query,
                                    const std::function<void(ListedDelivery)>& line) {
  if (!reachable) return unreachable();
  world->note("list " + address_);
  note_contact();
  ListingEnd end;
  for (const ListedDelivery& known : lines) {
    if (known.delivered_at < query.from || (query.state && *query.state != known.state)) continue;
    if (query.until && known.delivered_at >= *query.until) continue;
    line(known);
    ++end.count;
  }
  if (breaks_listings) {
    HubError error;
    error.kind = HubError::Kind::malformed;
    error.detail = "the listing broke off";
    return error;
  }
  end.complete = complete && covered_from <= query.from;
  end.covered_from = covered_from;
  end.store_id = identity.store_id;
  end.store_created = identity.store_created;
  end.now = clock->now();
  return end;
}

bool FakeHub::is_deferred(const ListedDelivery& known) const {
  return std::any_of(
      known.recipients.begin(), known.recipients.end(),
      [this](const ListedRecipient& recipient) { return deferred.contains(recipient.mailbox); });
}

void FakeHub::settle(ListedDelivery& known, bool deliver, ResubmissionAnswer& answer) {
  for (const ListedRecipient& recipient : known.recipients) {
    const bool refuses = deliver && refused.contains(recipient.mailbox);
    ++(refuses ? answer.failed : answer.delivered);
    known.state = refuses ? DeliveryState::failed : DeliveryState::delivered;
    if (!refuses && deliver && !dropped.contains(recipient.mailbox))
      world->store(recipient.mailbox, known.delivery_id);
  }
  if (!deliver || known.state == DeliveryState::failed) return;
  known.node = active;
  known.term = term;
  ++known.attempt;
  known.delivered_at = clock->now();
}

void FakeHub::carry_out(std::vector<Item> items, Order& order) {
  std::map<dumpster::Uuid, ListedDelivery*> known;
  for (ListedDelivery& line : lines)
    known.emplace(line.delivery_id, &line);
  order.waiting.clear();
  for (const Item& item : items) {
    ListedDelivery& line = *known.at(item.delivery);
    if (item.deliver && is_deferred(line)) {
      line.state = DeliveryState::resubmitting;
      order.waiting.push_back(item);
    } else {
      settle(line, item.deliver, order.answer);
    }
  }
  order.answer.state = order.waiting.empty() ? "completed" : "running";
}

FakeHub::Order FakeHub::take(const std::string& body) {
  const boost::json::value wanted = boost::json::parse(body);
  Order order;
  order.answer.id = std::string{wanted.at("key").as_string()};
  std::map<dumpster::Uuid, const ListedDelivery*> known;
  for (const ListedDelivery& line : lines)
    known.emplace(line.delivery_id, &line);
  std::vector<Item> items;
  for (const boost::json::value& item : wanted.at("deliveries").as_array()) {
    const auto delivery = dumpster::uuid_from(std::string_view{item.at("delivery_id").as_string()});
    const auto attempt = item.at("attempt").to_number<std::uint64_t>();
    const auto place = known.find(*delivery);
    if (place == known.end() || place->second->attempt != attempt) {
      order.answer.not_found.push_back(*delivery);
      continue;
    }
    order.answer.matched += place->second->recipients.size();
    items.push_back({*delivery, attempt, item.at("outcome").as_string() == "deliver"});
  }
  carry_out(std::move(items), order);
  return order;
}

HubResult<ResubmissionAnswer> FakeHub::resubmit(const dumpster::StorageGroup&, const std::string& body) {
  if (!reachable) return unreachable();
  const std::string key{boost::json::parse(body).at("key").as_string()};
  world->note("resubmit " + address_);
  if (before_order) std::function<void()>{before_order}();
  if (!reachable) return unreachable();
  bodies.push_back(body);
  if (!keys.contains(key)) orders_[key] = take(body);
  keys.insert(key);
  if (lost_after_resubmit) {
    reachable = false;
    return unreachable();
  }
  return orders_.at(key).answer;
}

HubResult<ResubmissionAnswer> FakeHub::resubmission(const std::string& id) {
  if (!reachable) return unreachable();
  if (before_answer) before_answer();
  Order& order = orders_.at(id);
  if (!order.waiting.empty()) carry_out(order.waiting, order);
  return order.answer;
}

HubResult<void> FakeHub::absent(const dumpster::StorageGroup&, const std::string& body) {
  if (!reachable) return unreachable();
  world->note("absent " + address_);
  absents.push_back(body);
  const boost::json::value report = boost::json::parse(body);
  for (const boost::json::value& item : report.at("deliveries").as_array()) {
    const auto delivery = dumpster::uuid_from(std::string_view{item.at("delivery_id").as_string()});
    for (ListedDelivery& known : lines) {
      if (known.delivery_id == *delivery) known.state = DeliveryState::absent;
    }
  }
  return {};
}

HubResult<void> FakeHub::replicated(const dumpster::StorageGroup&, const std::string&, Instant until) {
  through.push_back(until);
  return {};
}

HubResult<void> FakeHub::recovered(const std::string&, const std::string&, std::uint64_t wanted) {
  if (!reachable) return unreachable();
  world->note("recovered " + address_ + " " + std::to_string(wanted));
  if (before_recovered) before_recovered();
  if (wanted != term) {
    HubError error;
    error.kind = HubError::Kind::refused;
    error.status = 409;
    error.detail = "the hub answered 409";
    return error;
  }
  return {};
}

void Scene::mark_store() {
  auto place = std::make_unique<FakeMarker>();
  marker = place.get();
  surroundings.marker = std::move(place);
  auto book = std::make_unique<FakeLedger>();
  ledger = book.get();
  surroundings.ledger = std::move(book);
}

Scene::Scene(std::size_t number) {
  surroundings.cluster = "ccr1";
  surroundings.node = "node2";
  surroundings.lookback = std::chrono::hours{24 * 365};
  surroundings.margin = std::chrono::minutes{5};
  surroundings.settle = std::chrono::seconds{5};
  surroundings.wait = std::chrono::seconds{2};
  surroundings.clock = &clock;
  for (std::size_t i = 0; i < number; ++i) {
    auto hub = std::make_unique<FakeHub>("http://hub" + std::to_string(i + 1));
    hub->world = &world;
    hub->clock = &clock;
    hub->identity.hub = "hub";
    hub->identity.store_id = "store" + std::to_string(i + 1);
    hub->identity.sequence = 1;
    hubs.push_back(hub.get());
    surroundings.hubs.push_back(std::move(hub));
  }
  auto source = std::make_unique<FakeInventory>();
  source->world = &world;
  inventory = source.get();
  surroundings.inventory = std::move(source);
  auto store = std::make_unique<FakeState>();
  store->world = &world;
  store->kept.cluster = "ccr1";
  store->kept.node = "node2";
  state = store.get();
  surroundings.state = std::move(store);
}

}  // namespace recovery::agent::test
