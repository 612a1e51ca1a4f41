#include <algorithm>
#include <limits>
#include <utility>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

// A destination that takes no mail makes no attempts, and so nothing would ever ask the directory again for
// what waits for it: the administrator's cure for a dead next hop is another line in the directory.

namespace relay {

namespace {

constexpr std::size_t compared_at_once = 2000;  // each tick, of all destinations: a long queue stops nothing
constexpr std::size_t compared_after_failure = 1000;
constexpr std::size_t most_asked = 256;
constexpr auto all = std::numeric_limits<std::size_t>::max();

}  // namespace

void Dispatcher::look_at_routes(bool probe) {
  on_own_thread([this, probe] {
    ++looks_at_routes_;
    for (auto& [destination, connections] : connections_) {
      connections.routes_as_of = looks_at_routes_;
      connections.all_compared = false;
      connections.to_compare = all;
      if (probe) connections.queue.probe_now();
    }
  });
}

/// A directory server tells nobody of a change. Failure by failure the whole queue has its turn, and all of
/// it once something has moved. What waits for a dead destination is read again when it lives: the room that
/// fresh bodies have belongs to mail that moves.
void Dispatcher::after_failure(Connections& connections, bool was_dead) {
  if (!connections.queue.dead()) return;
  if (!was_dead) connections.queue.each([](const Job& job) { job.message->body.reset(); });
  if (connections.to_compare > 0) return;
  if (std::exchange(connections.all_compared, false)) connections.routes_as_of = ++looks_at_routes_;
  connections.to_compare = compared_after_failure;
}

void Dispatcher::compare_routes() {
  if (!moved_.empty()) take_out_of_jobs(std::exchange(moved_, {}));
  auto left = compared_at_once;
  for (auto& [destination, connections] : connections_) {
    if (connections.to_compare > 0 && left > 0) left -= compare_routes(connections, left);
  }
}

std::size_t Dispatcher::compare_routes(Connections& connections, std::size_t most) {
  most = std::min(most, connections.to_compare);
  const auto directory = directory_();
  std::size_t compared = 0;
  const auto full = [&] { return compared == most || asking_for_routes_ >= most_asked; };
  auto moved = connections.queue.remove([&, this](Job& job) {
    if (job.route_as_of >= connections.routes_as_of || full()) return false;
    job.route_as_of = connections.routes_as_of;
    ++compared;
    return has_moved(job, *directory);
  });
  if (!full()) {
    connections.all_compared = true;
    connections.to_compare = 0;
  } else if (!moved.empty()) {
    connections.to_compare = all;
  } else if (connections.to_compare != all) {
    connections.to_compare -= compared;
  }
  if (!moved.empty()) {
    metrics::log_info("route changed", {{"route", connections.queue.name()}, {"transactions", moved.size()}});
  }
  for (auto& job : moved)
    put_back(std::move(job));
  return compared;
}

/// What is not at hand is asked for, and moves when the answer is here.
bool Dispatcher::has_moved(const Job& job, const Directory& directory) {
  for (const auto& recipient : job.recipients) {
    const auto* entry = job.message->entry(recipient.index);
    if (entry == nullptr || entry->group) continue;
    const auto& address = job.message->spooled.message.envelope.recipients.at(recipient.index).address;
    if (const auto answer = directory.find(address)) {
      if (leads_elsewhere(job, recipient, *answer)) return true;
    } else {
      ask_for_route(job, recipient, address, directory);
    }
  }
  return false;
}

void Dispatcher::ask_for_route(const Job& job, const JobRecipient& recipient, const std::string& address,
                               const Directory& directory) {
  ++asking_for_routes_;
  directory.ask(address, [this, job, recipient](Lookup answer) {
    on_own_thread([this, job, recipient, answer = std::move(answer)] {
      --asking_for_routes_;
      if (!leads_elsewhere(job, recipient, answer)) return;
      moved_.insert(job.message);
      connections_to(job.route->destination).to_compare = all;
    });
  });
}

}  // namespace relay
