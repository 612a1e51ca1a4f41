#include "dumpster/rocksdb/retention.hpp"

#include <algorithm>
#include <vector>

#include "dumpster/rocksdb/lines.hpp"

namespace dumpster::rocks {
namespace {

/// From an activation until the agent's report nothing of an older term is evicted, but for this long at the
/// most.
constexpr Duration longest_protection = std::chrono::minutes{10};

/// Whether a refill may still need what was delivered before the activation.
bool protects_older_terms(const ClusterRecord& cluster, Instant now) {
  return !cluster.recovered && now < cluster.activated_at + longest_protection;
}

/// Chooses what goes, oldest first, and where the next search begins.
struct Choice {
  std::vector<LineRecord> going;
  std::uint64_t bytes = 0;  ///< of those
  Instant searched_to = Instant::min();
};

/// Looks at lines from `begin` on until `enough` says that the rest stays. Of the others those go that
/// `may_go`.
template <class Enough, class MayGo>
Choice choose(const Change& change, const GroupEntry& group, Instant begin, std::size_t most, Enough enough,
              MayGo may_go) {
  const auto& cluster = change.cluster(group.name.cluster).record;
  const bool protecting = protects_older_terms(cluster, change.clock());
  Choice choice;
  choice.searched_to = begin;
  const auto number = group.record.number;
  const auto from = key::line(number, begin);
  const auto until = key::line(number + 1, Instant::min());
  std::size_t looked_at = 0;
  change.walk(Family::lines, from, until, [&](std::string_view key, std::string_view payload) {
    auto line = value_or_refuse(decode_line(key::delivered_at(key), payload));
    choice.searched_to = line.line.delivered_at;
    if (choice.going.size() == most || looked_at++ == 10 * most || enough(line.line, choice)) return false;
    if (!may_go(line.line)) return true;
    if (protecting && line.line.term < cluster.term) return false;
    choice.bytes += line.line.size;
    choice.going.push_back(std::move(line));
    return true;
  });
  return choice;
}

bool is_settled(const Delivery& line) {
  return !is_pending(line);
}

/// Whether somebody has said that the delivery need not come from here any more: a passive node has it, the
/// active node's agent has called it absent, or has ended its comparison with all of an older term.
bool is_confirmed(const GroupRecord& group, const ClusterRecord& cluster, const Delivery& line) {
  if (line.state == DeliveryState::absent || (cluster.recovered && line.term < cluster.term)) return true;
  return std::any_of(group.replicated.begin(), group.replicated.end(),
                     [&](const ReplicatedThrough& report) { return line.delivered_at <= report.through; });
}

void count_unconfirmed(Change& change, const StorageGroup& name, const Choice& choice) {
  const auto& group = change.group(name).record;
  const auto& cluster = change.cluster(name.cluster).record;
  const auto count = std::count_if(choice.going.begin(), choice.going.end(), [&](const LineRecord& line) {
    return !is_confirmed(group, cluster, line.line);
  });
  if (count > 0) change.counted().unconfirmed[name] += static_cast<std::uint64_t>(count);
}

void remove(Change& change, const StorageGroup& name, const Choice& choice, const char* reason) {
  if (choice.searched_to == change.group(name).evict_from && choice.going.empty()) return;
  count_unconfirmed(change, name, choice);
  auto& entry = change.edit_group(name);
  for (const auto& line : choice.going) {
    remove_line(change, name, line);
    entry.record.covered_from = std::max(entry.record.covered_from, line.line.delivered_at + Duration{1});
  }
  entry.evict_from = choice.searched_to;
  if (!choice.going.empty()) change.counted().removed[{name, reason}] += choice.going.size();
}

}  // namespace

std::size_t evict_by_size(Change& change, const StorageGroup& group, std::size_t most) {
  const auto& entry = change.group(group);
  if (entry.limits.off() || entry.record.bytes <= entry.limits.max_size) return 0;
  const auto enough = [&](const Delivery& line, const Choice& so_far) {
    return entry.record.bytes - so_far.bytes <= entry.limits.max_size || line.delivered_at >= entry.newest ||
           entry.record.messages - so_far.going.size() <= 1;
  };
  const auto choice = choose(change, entry, entry.evict_from, most, enough, is_settled);
  remove(change, group, choice, "size");
  return choice.going.size();
}

std::size_t evict_by_time(Change& change, const StorageGroup& group, std::size_t most) {
  const auto& entry = change.group(group);
  const bool off = entry.limits.off();
  const auto oldest_kept = off ? Instant::max() : change.clock() - entry.limits.max_time;
  const auto enough = [&](const Delivery& line, const Choice&) { return line.delivered_at >= oldest_kept; };
  const auto choice = choose(change, entry, entry.evict_from, most, enough, is_settled);
  remove(change, group, choice, off && entry.limits.max_size == 0 ? "size" : "time");
  return choice.going.size();
}

std::size_t truncate_replicated(Change& change, const StorageGroup& group, std::size_t most) {
  const auto& entry = change.group(group);
  const auto& reports = entry.record.replicated;
  const auto passive_nodes = change.cluster(group.cluster).definition.nodes.size() - 1;
  if (!entry.limits.truncate_replicated || reports.empty() || reports.size() < passive_nodes) return 0;
  const auto slowest = std::min_element(reports.begin(), reports.end(),
                                        [](const auto& a, const auto& b) { return a.through < b.through; });
  const auto through = slowest->through;
  if (through < entry.truncate_from) return 0;
  const auto enough = [&](const Delivery& line, const Choice&) { return line.delivered_at > through; };
  // What the node has refused waits for a person, whatever was replicated.
  const auto may_go = [](const Delivery& line) {
    return is_settled(line) && line.state != DeliveryState::failed;
  };
  const auto choice = choose(change, entry, entry.truncate_from, most, enough, may_go);
  if (choice.searched_to == entry.truncate_from && choice.going.empty()) return 0;
  change.edit_group(group).truncate_from = choice.searched_to;
  for (const auto& line : choice.going)
    remove_line(change, group, line);
  if (!choice.going.empty()) change.counted().removed[{group, "replicated"}] += choice.going.size();
  return choice.going.size();
}

std::size_t evict(Change& change, std::size_t enough) {
  std::size_t removed = 0;
  for (const auto& name : change.tables().group_names()) {
    removed += evict_by_time(change, name, enough);
    removed += evict_by_size(change, name, enough);
    removed += truncate_replicated(change, name, enough);
    if (removed >= enough) break;
  }
  return removed;
}

void set_limits(Change& change, const StorageGroup& group, const RetentionLimits& limits) {
  if (change.group(group).limits == limits) return;
  auto& entry = change.edit_group(group);
  auto& record = entry.record;
  if (record.retention_off && !limits.off())
    record.covered_from = std::max(record.covered_from, change.clock());
  record.retention_off = limits.off();
  entry.limits = limits;
}

}  // namespace dumpster::rocks
