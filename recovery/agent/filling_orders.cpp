#include <algorithm>
#include <utility>

#include "recovery/agent/filling.hpp"
#include "recovery/agent/order_body.hpp"

namespace recovery::agent {
namespace {

std::string conflict_of(const HubWork& hub, const ClusterStatus& status) {
  return hub.address() + " is at term " + std::to_string(status.term) + " with " + status.active + " active";
}

}  // namespace

/// Orders of an earlier run under the same term are sent again as they are: the hub knows them by their keys.
void Filling::take_up_orders() {
  const std::uint64_t term = options_.standpoint.term;
  if (options_.dry_run) return;
  std::erase_if(state_.orders, [term](const PendingOrder& order) { return order.term != term; });
  for (const PendingOrder& order : state_.orders) {
    for (HubWork& hub : hubs_) {
      if (!hub.going || hub.address() != order.hub) continue;
      RunningOrder running;
      running.hub = &hub;
      running.order = order;
      OrderContent content = content_of_order(order.body);
      running.settled = content.settled;
      for (GroupWork& group : groups_.at(&hub)) {
        if (group.name != order.group) continue;
        for (const Decision& decision : content.deliver)
          group.resubmitted.insert(decision.delivery_id);
      }
      running.deliver = std::move(content.deliver);
      orders_.push_back(std::move(running));
      goes_on_ = true;
    }
  }
}

void Filling::order(HubWork& hub, GroupWork& group, std::vector<Decision> decisions) {
  for (std::size_t first = 0; first < decisions.size(); first += decisions_in_order) {
    const std::size_t last = std::min(first + decisions_in_order, decisions.size());
    std::vector<Decision> part(
        std::make_move_iterator(decisions.begin() + static_cast<std::ptrdiff_t>(first)),
        std::make_move_iterator(decisions.begin() + static_cast<std::ptrdiff_t>(last)));
    RunningOrder running;
    running.hub = &hub;
    OrderHead head;
    head.key = surroundings_.node + "-" + dumpster::to_string(dumpster::new_uuid(surroundings_.clock->now()));
    head.from = hub.from;
    head.until = group.now;
    head.node = surroundings_.node;
    head.term = options_.standpoint.term;
    for (const Decision& decision : part) {
      head.from = std::min(head.from, decision.delivered_at);
      group.decided.emplace(decision.delivery_id, decision.attempt);
      if (decision.outcome == dumpster::ResubmissionItem::Outcome::deliver) {
        group.resubmitted.insert(decision.delivery_id);
      } else {
        running.settled += decision.recipients.size();
      }
    }
    running.order.hub = hub.address();
    running.order.group = group.name;
    running.order.term = head.term;
    running.order.key = head.key;
    running.order.body = order_body(head, part);
    std::erase_if(part, [](const Decision& decision) {
      return decision.outcome != dumpster::ResubmissionItem::Outcome::deliver;
    });
    running.deliver = std::move(part);
    state_.orders.push_back(running.order);
    orders_.push_back(std::move(running));
  }
}

/// Durable first, then sent: an interrupted order is sent again under its key.
bool Filling::send_orders() {
  const bool any =
      std::any_of(orders_.begin(), orders_.end(), [](const RunningOrder& order) { return order.id.empty(); });
  if (!any) return true;
  if (!options_.save()) return false;
  side_by_side(hubs_, [this](HubWork& hub) {
    for (RunningOrder& order : orders_) {
      if (order.hub == &hub && hub.going && order.id.empty() && !order.over) send(order);
    }
  });
  return settle_conflicts();
}

void Filling::send(RunningOrder& order) {
  const dumpster::StorageGroup group{surroundings_.cluster, order.order.group};
  const auto answer = patiently(*surroundings_.clock, surroundings_.wait,
                                [&] { return order.hub->client->resubmit(group, order.order.body); });
  if (!answer) return refused(order, answer.error());
  order.hub->report.resubmitted += answer->matched - std::min<std::uint64_t>(answer->matched, order.settled);
  order.id = answer->id;
  order.last = *answer;
  order.over = answer->ended();
}

/// A refused order is not sent again: the hub has decided about it. A refusal may be news of a higher term.
void Filling::refused(RunningOrder& order, const HubError& error) {
  HubWork& hub = *order.hub;
  order.over = error.kind == HubError::Kind::refused;
  if (error.status == 409) {
    const auto status = hub.client->cluster(surroundings_.cluster);
    if (status && status->term > options_.standpoint.term) hub.conflict = conflict_of(hub, *status);
  }
  hub.give_up(error);
}

bool Filling::settle_conflicts() {
  for (const HubWork& hub : hubs_) {
    if (!hub.conflict.empty()) report_.conflict = hub.conflict;
  }
  return report_.conflict.empty();
}

/// Until all are over, or until it is time to see what has fallen in doubt meanwhile.
bool Filling::follow_orders() {
  const dumpster::Duration end = surroundings_.clock->elapsed() +
                                 std::min(surroundings_.settle, options_.patience) + std::chrono::seconds{2};
  for (;;) {
    side_by_side(hubs_, [this](HubWork& hub) {
      for (RunningOrder& order : orders_) {
        if (order.hub == &hub && hub.going && !order.over) follow(order);
      }
    });
    if (!settle_conflicts()) return false;
    if (!running() || surroundings_.clock->elapsed() >= end) return close_orders();
    if (!surroundings_.clock->pause(std::chrono::milliseconds{250})) return fail("interrupted");
  }
}

void Filling::follow(RunningOrder& order) {
  const auto answer = patiently(*surroundings_.clock, surroundings_.wait,
                                [&] { return order.hub->client->resubmission(order.id); });
  if (!answer) return refused(order, answer.error());
  std::vector<dumpster::Uuid> not_found = std::move(order.last.not_found);
  order.last = *answer;
  if (order.last.not_found.empty()) order.last.not_found = std::move(not_found);
  order.over = answer->ended();
  surroundings_.tell(order.hub->address() + ": " + std::to_string(answer->delivered) + " of " +
                     std::to_string(answer->matched) + " delivered");
}

/// Counts what is over, and forgets it.
bool Filling::close_orders() {
  bool any = false;
  for (RunningOrder& order : orders_) {
    if (!order.over) continue;
    any = true;
    HubReport& report = order.hub->report;
    const ResubmissionAnswer& last = order.last;
    count(order);
    const auto present = std::min<std::uint64_t>(last.delivered, order.settled);
    report.ended_present += present;
    report.ended_delivered += last.delivered - present;
    seek(order);
    if (last.state == "cancelled") {
      const auto status = order.hub->client->cluster(surroundings_.cluster);
      if (status && status->term > options_.standpoint.term) {
        report_.conflict = conflict_of(*order.hub, *status);
      }
      report.failed += last.matched - std::min(last.matched, last.delivered + last.failed);
    }
    std::erase_if(state_.orders, [&](const PendingOrder& pending) { return pending.key == order.order.key; });
  }
  std::erase_if(orders_, [](const RunningOrder& order) { return order.over; });
  if (!any) return true;
  return options_.save() && report_.conflict.empty();
}

void Filling::count(const RunningOrder& order) {
  const ResubmissionAnswer& last = order.last;
  order.hub->report.delivered += last.delivered - std::min<std::uint64_t>(last.delivered, order.settled);
  order.hub->report.failed += last.failed;
}

/// Whether nothing has been delivered or refused for as long as that is waited for.
bool Filling::stands_still() {
  std::uint64_t settled = 0;
  for (const HubWork& hub : hubs_)
    settled += hub.report.delivered + hub.report.failed;
  for (const RunningOrder& order : orders_)
    settled += order.last.delivered + order.last.failed;
  const dumpster::Duration now = surroundings_.clock->elapsed();
  if (std::exchange(settled_, settled) != settled) moved_at_ = now;
  return now - moved_at_ >= options_.patience;
}

void Filling::leave_the_rest() {
  bool any = false;
  for (const RunningOrder& order : orders_) {
    if (order.over || !order.hub->going) continue;
    count(order);
    const ResubmissionAnswer& last = order.last;
    order.hub->report.waiting += last.matched - std::min(last.matched, last.delivered + last.failed);
    any = true;
  }
  orders_.clear();
  for (const auto& [hub, recipients] : unripe_)
    hub->report.waiting += recipients;
  if (!any) return;
  report_.notes.push_back(
      "what waits is ordered, and the hubs go on trying to deliver it: `dumpsterctl queue list` on them says "
      "why it "
      "does not go");
}

bool Filling::running() const {
  return std::any_of(orders_.begin(), orders_.end(),
                     [](const RunningOrder& order) { return order.hub->going && !order.over; });
}

}  // namespace recovery::agent
