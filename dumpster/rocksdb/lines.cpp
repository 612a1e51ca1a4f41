#include "dumpster/rocksdb/lines.hpp"

#include <algorithm>

namespace dumpster::rocks {
namespace {

std::uint64_t in_doubt(const Delivery& line) {
  return line.state == DeliveryState::in_doubt ? line.recipients.size() : 0;
}

/// The recipients of `whole` that are, or are not, in `indices`.
LineRecord part_of(const LineRecord& whole, const Indices& indices, bool inside) {
  LineRecord part = whole;
  auto& recipients = part.line.recipients;
  const auto unwanted = [&](const auto& recipient) { return indices.contains(recipient.index) != inside; };
  recipients.erase(std::remove_if(recipients.begin(), recipients.end(), unwanted), recipients.end());
  return part;
}

void write_line(Change& change, const GroupEntry& group, const LineRecord& line) {
  change.put(Family::lines, key::line(group.record.number, line.line.delivered_at), encode(line));
}

}  // namespace

bool is_pending(const Delivery& line) {
  return line.state == DeliveryState::in_doubt || line.state == DeliveryState::resubmitting;
}

Indices indices_of(const Delivery& line) {
  Indices indices;
  for (const auto& recipient : line.recipients)
    indices.insert(recipient.index);
  return indices;
}

std::optional<LineRecord> line_at(const Change& change, const StorageGroup& group, Instant delivered_at) {
  const auto stored = change.get(Family::lines, key::line(change.group(group).record.number, delivered_at));
  if (!stored) return std::nullopt;
  return value_or_refuse(decode_line(delivered_at, *stored));
}

std::optional<LineRecord> readable_line(const Change& change, const StorageGroup& group,
                                        Instant delivered_at) {
  return if_readable([&] { return line_at(change, group, delivered_at); }).value_or(std::nullopt);
}

std::vector<LineRecord> lines_of(const Change& change, const StorageGroup& group, const Uuid& delivery_id) {
  const auto prefix = key::ids_of(change.group(group).record.number, delivery_id);
  std::vector<Instant> times;
  change.walk(Family::ids, prefix, key::behind(prefix), [&](std::string_view key, std::string_view) {
    times.push_back(key::delivered_at_of_id(key));
    return true;
  });
  std::vector<LineRecord> lines;
  for (const auto time : times) {
    auto line = line_at(change, group, time);
    if (!line) throw Refused{{Fault::damaged, "an id of the dumpster names a delivery that is not there"}};
    undo_ended(change.tables(), *line);
    lines.push_back(std::move(*line));
  }
  return lines;
}

void insert_line(Change& change, const StorageGroup& group, const LineRecord& line) {
  auto& entry = change.edit_group(group);
  write_line(change, entry, line);
  change.put(Family::ids, key::id(entry.record.number, line.line.delivery_id, line.line.delivered_at), {});
  entry.newest = std::max(entry.newest, line.line.delivered_at);
  entry.record.messages += 1;
  entry.record.bytes += line.line.size;
  entry.record.in_doubt += in_doubt(line.line);
  change.refer(line.line.message, line.line.size, +1);
  change.group_has_grown(group);
}

void count_retained(Change& change, const StorageGroup& group, const LineRecord& line) {
  auto& retained = change.counted().retained[group];
  retained.deliveries += 1;
  retained.bytes += line.line.size;
}

void remove_line(Change& change, const StorageGroup& group, const LineRecord& line) {
  auto& entry = change.edit_group(group);
  change.erase(Family::lines, key::line(entry.record.number, line.line.delivered_at));
  change.erase(Family::ids, key::id(entry.record.number, line.line.delivery_id, line.line.delivered_at));
  entry.record.messages -= 1;
  entry.record.bytes -= line.line.size;
  entry.record.in_doubt -= in_doubt(line.line);
  change.refer(line.line.message, line.line.size, -1);
}

void replace_line(Change& change, const StorageGroup& group, const LineRecord& before,
                  const LineRecord& after) {
  auto& entry = change.edit_group(group);
  write_line(change, entry, after);
  entry.record.in_doubt -= in_doubt(before.line);
  entry.record.in_doubt += in_doubt(after.line);
  if (is_pending(after.line)) return;
  entry.evict_from = std::min(entry.evict_from, after.line.delivered_at);
  entry.truncate_from = std::min(entry.truncate_from, after.line.delivered_at);
}

LineRecord take_part(Change& change, const StorageGroup& group, const LineRecord& whole,
                     const Indices& indices) {
  const auto rest = part_of(whole, indices, false);
  if (rest.line.recipients.empty()) {
    remove_line(change, group, whole);
  } else {
    replace_line(change, group, whole, rest);
  }
  return part_of(whole, indices, true);
}

Instant alter_part(Change& change, const StorageGroup& group, const LineRecord& whole, const Indices& indices,
                   const std::function<void(LineRecord&)>& alter) {
  auto part = part_of(whole, indices, true);
  if (part.line.recipients.size() == whole.line.recipients.size()) {
    alter(part);
    replace_line(change, group, whole, part);
    return whole.line.delivered_at;
  }
  take_part(change, group, whole, indices);
  alter(part);
  part.line.delivered_at = change.next_time();
  insert_line(change, group, part);
  return part.line.delivered_at;
}

void undo_ended(const Tables& tables, LineRecord& line) {
  if (line.line.state != DeliveryState::resubmitting) return;
  const auto found = tables.at_work.find(line.line.resubmission);
  if (found != tables.at_work.end() && found->second.ending()) revert_to_delivered(line);
}

void undo_ended(const std::set<Uuid>& ended, LineRecord& line) {
  if (line.line.state == DeliveryState::resubmitting && ended.contains(line.line.resubmission))
    revert_to_delivered(line);
}

void revert_to_delivered(LineRecord& line) {
  line.line.state = DeliveryState::delivered;
  line.line.resubmission = {};
  if (!line.earlier) return;
  line.line.node = line.earlier->node;
  line.line.term = line.earlier->term;
  line.line.attempt = line.earlier->attempt;
  line.earlier.reset();
}

}  // namespace dumpster::rocks
