#include "dumpster/rocksdb/resubmission_changes.hpp"

#include <algorithm>

#include "dumpster/rocksdb/cluster_changes.hpp"
#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/matching.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

using Outcome = ResubmissionItem::Outcome;

constexpr std::size_t longest_key = 1024;

/// One request while it is carried out: first the whole set is chosen, then it is changed line by line.
class Resubmitting {
 public:
  Resubmitting(Change& change, const ResubmissionRequest& request) : change_(change), request_(request) {}

  ResubmissionAccepted run();

 private:
  struct Chosen {
    LineRecord line;
    Indices deliver;
    Indices present;
  };

  void check() const;
  std::optional<Resubmission> earlier_answer() const;
  void choose_items();
  void choose_window();
  bool choose(const LineRecord& line, const Indices& recipients, Outcome outcome);
  Indices only_wanted(const Delivery& line) const;
  void drop_unspooled(Chosen& chosen);

  void settle_as_present(const Chosen& chosen);
  void put_into_spool(const Chosen& chosen);
  SpoolEntry& entry_for(OpenSpool& spool, const Delivery& line, std::uint32_t index);
  void leave_other(const Uuid& other, Ending ending, const OpenSpool& spool);
  void write_record();

  Change& change_;
  const ResubmissionRequest& request_;
  Resubmission record_;
  std::map<Instant, Chosen> chosen_;
  std::set<Uuid> touched_;
};

void Resubmitting::check() const {
  const auto refuse = [](const char* why) { throw Refused{{Fault::invalid, why}}; };
  if (request_.key.empty() || request_.key.size() > longest_key)
    refuse("a resubmission needs a key of 1 to 1024 bytes");
  if (request_.until < request_.from) refuse("the window ends before it begins");
  if (request_.by_agent && (!request_.node || !request_.term)) {
    throw Refused{{Fault::conflict, "an agent has to name its node and term"}};
  }
  const auto& cluster = request_.group.cluster;
  const auto& current = change_.cluster(cluster).record;
  if (request_.node || request_.term) {
    require_current(change_, cluster, request_.node.value_or(current.active),
                    request_.term.value_or(current.term));
  }
  if (request_.by_agent && request_.items) {
    const auto& items = *request_.items;
    if (std::any_of(items.begin(), items.end(), [](const auto& item) { return !item.attempt; })) {
      refuse("an agent has to name the attempt of each delivery");
    }
  }
}

std::optional<Resubmission> Resubmitting::earlier_answer() const {
  const auto stored = change_.get(Family::resubmissions, key::resubmission_key(request_.group, request_.key));
  if (!stored) return std::nullopt;
  const auto known = value_or_refuse(decode_resubmission_key(*stored));
  if (known.digest != digest_of(request_)) {
    throw Refused{{Fault::conflict, "the key has been used for another request"}};
  }
  auto record = resubmission_record(change_, known.id);
  if (!record) throw Refused{{Fault::damaged, "the record of a resubmission is missing"}};
  if (const auto ids = change_.get(Family::resubmissions, key::not_found(known.id))) {
    record->not_found = value_or_refuse(decode_ids(*ids));
  }
  return record;
}

Indices Resubmitting::only_wanted(const Delivery& line) const {
  if (!request_.message_id.empty() && line.message_id != request_.message_id) return {};
  if (request_.recipient.empty()) return indices_of(line);
  return matching_recipients(line, {request_.recipient});
}

/// Adds recipients of a line to the set; false when none of them can be settled in that way.
bool Resubmitting::choose(const LineRecord& line, const Indices& recipients, Outcome outcome) {
  const auto state = line.line.state;
  if (state == DeliveryState::resubmitting) return false;
  if (outcome == Outcome::present && state != DeliveryState::in_doubt) return false;
  const auto wanted = only_wanted(line.line);
  Chosen candidate{line, {}, {}};
  for (const auto index : recipients) {
    if (wanted.contains(index))
      (outcome == Outcome::present ? candidate.present : candidate.deliver).insert(index);
  }
  if (state == DeliveryState::in_doubt) drop_unspooled(candidate);
  if (candidate.deliver.empty() && candidate.present.empty()) return false;
  auto& chosen = chosen_.try_emplace(line.line.delivered_at, Chosen{line, {}, {}}).first->second;
  // Named twice, the first word counts.
  for (const auto index : candidate.deliver) {
    if (!chosen.present.contains(index)) chosen.deliver.insert(index);
  }
  for (const auto index : candidate.present) {
    if (!chosen.deliver.contains(index)) chosen.present.insert(index);
  }
  if (chosen_.size() > most_resubmitted_lines) {
    throw Refused{{Fault::invalid, "more than " + std::to_string(most_resubmitted_lines) +
                                       " deliveries at once: ask for a smaller window"}};
  }
  return true;
}

/// What is in doubt is settled through its spool entry; where there is none, there is nothing to settle.
void Resubmitting::drop_unspooled(Chosen& chosen) {
  auto spool = open_spool(change_, chosen.line.line.message);
  const auto stays = [&](std::uint32_t index) {
    const auto* entry = spool.find(index);
    return entry != nullptr && entry->group == request_.group && entry->line == chosen.line.line.delivered_at;
  };
  std::erase_if(chosen.deliver, [&](std::uint32_t index) { return !stays(index); });
  std::erase_if(chosen.present, [&](std::uint32_t index) { return !stays(index); });
}

void Resubmitting::choose_items() {
  for (const auto& item : *request_.items) {
    bool found = false;
    for (const auto& line : lines_of(change_, request_.group, item.delivery_id)) {
      if (item.attempt && *item.attempt != line.line.attempt) continue;
      if (choose(line, matching_recipients(line.line, item.recipients), item.outcome)) found = true;
    }
    if (!found) record_.not_found.push_back(item.delivery_id);
  }
}

void Resubmitting::choose_window() {
  const auto number = change_.group(request_.group).record.number;
  const auto from = key::line(number, request_.from);
  const auto until = key::line(number, request_.until);
  change_.walk(Family::lines, from, until, [&](std::string_view key, std::string_view payload) {
    const auto line = value_or_refuse(decode_line(key::delivered_at(key), payload));
    if (line.line.state != DeliveryState::absent) choose(line, indices_of(line.line), Outcome::deliver);
    return true;
  });
}

ResubmissionAccepted Resubmitting::run() {
  const auto& group = change_.group(request_.group);
  if (auto earlier = earlier_answer()) return {std::move(*earlier), true, {}};
  check();
  record_.id = new_uuid(change_.clock());
  record_.key = request_.key;
  record_.group = request_.group;
  record_.term = change_.cluster(request_.group.cluster).record.term;
  record_.from = request_.from;
  record_.until = request_.until;
  record_.created_at = change_.clock();
  record_.covered_from = group.limits.off() ? change_.clock() : group.record.covered_from;
  record_.complete = request_.from >= record_.covered_from;
  if (request_.items) {
    choose_items();
  } else {
    choose_window();
  }
  for (const auto& [time, chosen] : chosen_) {
    record_.matched += chosen.deliver.size() + chosen.present.size();
    record_.resubmitted += chosen.deliver.size();
    record_.delivered += chosen.present.size();
    settle_as_present(chosen);
    put_into_spool(chosen);
  }
  write_record();
  forget_old_resubmissions(change_);
  return {record_, false, {touched_.begin(), touched_.end()}};
}

/// A recipient goes over from another resubmission that still waited for it.
void Resubmitting::leave_other(const Uuid& other, Ending ending, const OpenSpool& spool) {
  count_ending(change_, other, ending, 1);
  forget_if_settled(change_, other, spool);
}

void Resubmitting::settle_as_present(const Chosen& chosen) {
  if (chosen.present.empty()) return;
  const auto& cluster = change_.cluster(request_.group.cluster).record;
  auto settled = take_part(change_, request_.group, chosen.line, chosen.present);
  settled.earlier.reset();
  auto& line = settled.line;
  line.state = DeliveryState::delivered;
  line.ever_delivered = true;
  line.node = cluster.active;
  line.term = cluster.term;
  line.delivered_at = change_.next_time();
  if (!change_.group(request_.group).limits.off()) {
    insert_line(change_, request_.group, settled);
    count_retained(change_, request_.group, settled);
  }
  change_.counted().resubmitted["delivered"] += chosen.present.size();
  auto spool = open_spool(change_, line.message);
  std::vector<Uuid> others;
  for (const auto index : chosen.present) {
    others.push_back(spool.find(index)->resubmission);
    spool.erase(index);
  }
  for (const auto& other : others)
    leave_other(other, Ending::delivered, spool);
  close_spool(change_, spool);
  touched_.insert(line.message);
}

SpoolEntry& Resubmitting::entry_for(OpenSpool& spool, const Delivery& line, std::uint32_t index) {
  if (auto* entry = spool.find(index)) return *entry;
  SpoolEntry entry;
  entry.index = index;
  spool.record.size = line.size;
  spool.record.attempts = std::max(spool.record.attempts, line.attempt);
  spool.record.entries.push_back(std::move(entry));
  return spool.record.entries.back();
}

void Resubmitting::put_into_spool(const Chosen& chosen) {
  if (chosen.deliver.empty()) return;
  // What was present has been taken out meanwhile.
  const auto whole = line_at(change_, request_.group, chosen.line.line.delivered_at);
  if (!whole) throw Refused{{Fault::damaged, "a delivery to be resubmitted is not there"}};
  const auto time = alter_part(change_, request_.group, *whole, chosen.deliver, [this](LineRecord& line) {
    line.line.state = DeliveryState::resubmitting;
    line.line.resubmission = record_.id;
  });
  const auto& line = whole->line;
  auto spool = open_spool(change_, line.message);
  std::vector<Uuid> others;
  for (const auto& recipient : line.recipients) {
    if (!chosen.deliver.contains(recipient.index)) continue;
    auto& entry = entry_for(spool, line, recipient.index);
    if (!entry.resubmission.is_nil()) others.push_back(entry.resubmission);
    entry.trying = false;
    entry.next_attempt = change_.clock();
    entry.group = request_.group;
    entry.mailbox = recipient.mailbox;
    entry.line = time;
    entry.in_doubt = false;
    entry.in_doubt_since = {};
    entry.ever_delivered = line.ever_delivered;
    entry.resubmission = record_.id;
    entry.resubmit_until = change_.clock() + request_.lifetime;
  }
  for (const auto& other : others)
    leave_other(other, Ending::cancelled, spool);
  close_spool(change_, spool);
  change_.put(Family::resubmissions, key::spooled(record_.id, line.message), {});
  touched_.insert(line.message);
}

void Resubmitting::write_record() {
  if (record_.delivered == record_.matched) record_.state = ResubmissionState::completed;
  put_resubmission(change_, record_, std::nullopt);
  if (!record_.not_found.empty()) {
    change_.put(Family::resubmissions, key::not_found(record_.id), encode(record_.not_found));
  }
  ResubmissionKeyRecord known;
  known.id = record_.id;
  known.digest = digest_of(request_);
  change_.put(Family::resubmissions, key::resubmission_key(request_.group, request_.key), encode(known));
}

}  // namespace

ResubmissionAccepted resubmit(Change& change, const ResubmissionRequest& request) {
  return Resubmitting{change, request}.run();
}

}  // namespace dumpster::rocks
