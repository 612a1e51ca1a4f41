#include "dumpster/rocksdb/resubmission_changes.hpp"

#include <algorithm>
#include <numeric>

#include "dumpster/rocksdb/cluster_changes.hpp"
#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/matching.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/resubmission_spooling.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

using Outcome = ResubmissionItem::Outcome;

constexpr std::size_t longest_key = 1024;
/// What one write chooses at the most, and how many lines of a window it looks at.
constexpr std::size_t most_chosen = 500;
constexpr std::size_t most_looked_at = 5000;

/// One piece of a request: first it is chosen, then it is changed line by line.
class Choosing {
 public:
  Choosing(Change& change, Preparation& preparation)
      : change_(change),
        preparation_(preparation),
        request_(preparation.request),
        record_(preparation.answer) {}

  std::optional<ResubmissionAccepted> run();

 private:
  struct Chosen {
    LineRecord line;
    Indices deliver;
    Indices present;
  };

  void check() const;
  std::optional<Resubmission> earlier_answer() const;
  void begin();
  void go_on();
  bool choose_items();
  bool choose_window();
  bool choose(const LineRecord& line, const Indices& recipients, Outcome outcome);
  Indices only_wanted(const Delivery& line) const;
  void drop_unspooled(Chosen& chosen);

  void carry_out(const Chosen& chosen);
  void settle_as_present(const Chosen& chosen);
  void deliver(const Chosen& chosen);
  void write_records(bool whole);

  Change& change_;
  Preparation& preparation_;
  const ResubmissionRequest& request_;
  Resubmission& record_;
  ResubmissionPlan plan_;
  std::optional<ResubmissionState> before_;
  std::map<Instant, Chosen> chosen_;
  std::set<Uuid> touched_;
};

void Choosing::check() const {
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

std::optional<Resubmission> Choosing::earlier_answer() const {
  const auto stored = change_.get(Family::resubmissions, key::resubmission_key(request_.group, request_.key));
  if (!stored) return std::nullopt;
  const auto known = value_or_refuse(decode_resubmission_key(*stored));
  if (known.digest != digest_of(request_)) {
    throw Refused{{Fault::conflict, "the key has been used for another request"}};
  }
  if (resubmission_plan(change_, known.id).choosing) {
    throw Refused{{Fault::unavailable, "this request was interrupted and is being settled: ask again"}};
  }
  auto record = resubmission_record(change_, known.id);
  if (!record) throw Refused{{Fault::damaged, "the record of a resubmission is missing"}};
  if (const auto ids = change_.get(Family::resubmissions, key::not_found(known.id))) {
    record->not_found = value_or_refuse(decode_ids(*ids));
  }
  return record;
}

Indices Choosing::only_wanted(const Delivery& line) const {
  if (!request_.message_id.empty() && line.message_id != request_.message_id) return {};
  if (request_.recipient.empty()) return indices_of(line);
  return matching_recipients(line, {request_.recipient});
}

/// Adds recipients of a line to the set; false when none of them can be settled in that way.
bool Choosing::choose(const LineRecord& line, const Indices& recipients, Outcome outcome) {
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
  return true;
}

/// What is in doubt is settled through its spool entry; where there is none, there is nothing to settle.
void Choosing::drop_unspooled(Chosen& chosen) {
  auto spool = open_spool(change_, chosen.line.line.message);
  const auto stays = [&](std::uint32_t index) {
    const auto* entry = spool.find(index);
    return entry != nullptr && entry->group == request_.group && entry->line == chosen.line.line.delivered_at;
  };
  std::erase_if(chosen.deliver, [&](std::uint32_t index) { return !stays(index); });
  std::erase_if(chosen.present, [&](std::uint32_t index) { return !stays(index); });
}

/// Whether it was the last piece. Items of one delivery are never in two pieces: what the first one has
/// chosen the second one would not find any more.
bool Choosing::choose_items() {
  const auto& items = *request_.items;
  auto& next = preparation_.next_item;
  const auto& order = preparation_.order;
  const auto first = next;
  while (next < order.size()) {
    const auto& item = items[order[next]];
    const bool full = next - first >= most_chosen || chosen_.size() >= most_chosen;
    if (full && items[order[next - 1]].delivery_id != item.delivery_id) return false;
    for (const auto& line : lines_of(change_, request_.group, item.delivery_id)) {
      if (item.attempt && *item.attempt != line.line.attempt) continue;
      const auto matching = matching_recipients(line.line, item.recipients);
      if (choose(line, matching, item.outcome)) preparation_.found[order[next]] = true;
    }
    ++next;
  }
  return true;
}

bool Choosing::choose_window() {
  const auto number = change_.group(request_.group).record.number;
  const auto from = key::line(number, preparation_.next);
  const auto until = key::line(number, preparation_.end);
  std::size_t looked_at = 0;
  bool whole = true;
  if (preparation_.end <= preparation_.next) return whole;
  change_.walk(Family::lines, from, until, [&](std::string_view key, std::string_view payload) {
    preparation_.next = key::delivered_at(key);
    whole = looked_at++ < most_looked_at && chosen_.size() < most_chosen;
    if (!whole) return false;
    auto line = value_or_refuse(decode_line(preparation_.next, payload));
    undo_ended(change_.tables(), line);
    if (line.line.state != DeliveryState::absent) choose(line, indices_of(line.line), Outcome::deliver);
    return true;
  });
  return whole;
}

void Choosing::begin() {
  check();
  const auto& group = change_.group(request_.group);
  record_.key = request_.key;
  record_.group = request_.group;
  record_.term = change_.cluster(request_.group.cluster).record.term;
  record_.from = request_.from;
  record_.until = request_.until;
  record_.created_at = change_.clock();
  record_.covered_from = group.limits.off() ? change_.clock() : group.record.covered_from;
  record_.complete = request_.from >= record_.covered_from;
  // What is delivered while the set is chosen, or gets a time of its own then, is not meant.
  preparation_.next = request_.from;
  preparation_.end = std::min(request_.until, change_.hub().last_time + Duration{1});
  if (request_.dry_run) return;
  preparation_.id = record_.id = new_uuid(change_.clock());
  plan_.choosing = true;
  plan_.by_items = request_.items.has_value();
  plan_.lifetime = request_.lifetime;
  plan_.recipient = request_.recipient;
  plan_.message_id = request_.message_id;
  plan_.end = preparation_.end;
  ResubmissionAtWork work;
  work.group = request_.group;
  work.phase = ResubmissionAtWork::Phase::choosing;
  change_.edit_at_work().emplace(record_.id, work);
  ResubmissionKeyRecord known;
  known.id = record_.id;
  known.digest = digest_of(request_);
  change_.put(Family::resubmissions, key::resubmission_key(request_.group, request_.key), encode(known));
}

void Choosing::go_on() {
  const auto& at_work = change_.tables().at_work;
  const auto work = at_work.find(preparation_.id);
  if (work == at_work.end() || work->second.phase != ResubmissionAtWork::Phase::choosing) {
    throw Refused{{Fault::conflict, "it was ended while its deliveries were chosen"}};
  }
  if (work->second.orphaned && !preparation_.adopted) {
    throw Refused{{Fault::unavailable, "the store was opened again meanwhile: ask again"}};
  }
  auto record = resubmission_record(change_, preparation_.id);
  if (!record) throw Refused{{Fault::damaged, "the record of a resubmission is missing"}};
  before_ = record->state;
  record_ = std::move(*record);
  plan_ = resubmission_plan(change_, preparation_.id);
}

std::optional<ResubmissionAccepted> Choosing::run() {
  change_.group(request_.group);  // refuses what is not configured
  const bool first = preparation_.id.is_nil() && record_.key.empty();
  if (first && !request_.dry_run) {
    if (auto earlier = earlier_answer()) {
      ResubmissionAccepted accepted;
      accepted.resubmission = std::move(*earlier);
      accepted.repeated = true;
      return accepted;
    }
  }
  if (first) {
    begin();
  } else if (!request_.dry_run) {
    go_on();
  }
  const bool whole = request_.items ? choose_items() : choose_window();
  for (const auto& [time, chosen] : chosen_) {
    preparation_.deliveries += 1;
    preparation_.bytes += chosen.line.line.size;
    record_.matched += chosen.deliver.size() + chosen.present.size();
    if (!request_.dry_run) carry_out(chosen);
  }
  for (std::size_t i = 0; whole && i < preparation_.found.size(); ++i) {
    if (!preparation_.found[i]) record_.not_found.push_back((*request_.items)[i].delivery_id);
  }
  if (!request_.dry_run) write_records(whole);
  preparation_.touched.insert(preparation_.touched.end(), touched_.begin(), touched_.end());
  if (!whole) return std::nullopt;
  if (!request_.dry_run) forget_old_resubmissions(change_);
  ResubmissionAccepted accepted;
  accepted.resubmission = record_;
  accepted.deliveries = preparation_.deliveries;
  accepted.bytes = preparation_.bytes;
  accepted.touched = std::move(preparation_.touched);
  return accepted;
}

void Choosing::carry_out(const Chosen& chosen) {
  settle_as_present(chosen);
  deliver(chosen);
}

void Choosing::settle_as_present(const Chosen& chosen) {
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
  record_.delivered += chosen.present.size();
  plan_.present += chosen.present.size();
  note_resubmission(change_, HistoryEvent::Kind::present, request_.group, line, record_.id);
  auto spool = open_spool(change_, line.message);
  std::vector<Uuid> others;
  for (const auto index : chosen.present) {
    others.push_back(spool.find(index)->resubmission);
    spool.erase(index);
  }
  for (const auto& other : others)
    leave_other(change_, other, Ending::delivered, spool);
  close_spool(change_, spool);
  touched_.insert(line.message);
}

/// The chosen part of a line says from now on to whom it belongs: nobody else takes it, nothing removes it.
void Choosing::deliver(const Chosen& chosen) {
  if (chosen.deliver.empty()) return;
  // What was present has been taken out meanwhile.
  auto whole = chosen.line;
  if (!chosen.present.empty()) {
    const auto left = line_at(change_, request_.group, chosen.line.line.delivered_at);
    if (!left) throw Refused{{Fault::damaged, "a delivery to be resubmitted is not there"}};
    whole = *left;
  }
  const bool in_doubt = whole.line.state == DeliveryState::in_doubt;
  const auto time = alter_part(change_, request_.group, whole, chosen.deliver, [this](LineRecord& line) {
    line.line.state = DeliveryState::resubmitting;
    line.line.resubmission = record_.id;
  });
  auto& work = change_.edit_at_work().at(record_.id);
  if (!in_doubt) {
    change_.put(Family::resubmissions, key::waiting(record_.id, time), {});
    work.waiting = true;
    return;
  }
  auto part = whole.line;
  part.delivered_at = time;
  std::erase_if(part.recipients,
                [&](const auto& recipient) { return !chosen.deliver.contains(recipient.index); });
  spool_line(change_, request_.group, part, record_.id, change_.clock() + plan_.lifetime);
  record_.resubmitted += chosen.deliver.size();
  touched_.insert(part.message);
}

void Choosing::write_records(bool whole) {
  plan_.choosing = !whole;
  plan_.next = preparation_.next;
  auto& at_work = change_.edit_at_work();
  auto& work = at_work.at(record_.id);
  if (whole) {
    work.phase = ResubmissionAtWork::Phase::running;
    work.orphaned = false;
    if (is_settled(record_)) {
      record_.state = ResubmissionState::completed;
      at_work.erase(record_.id);
    }
    if (!record_.not_found.empty())
      change_.put(Family::resubmissions, key::not_found(record_.id), encode(record_.not_found));
  }
  put_resubmission(change_, record_, before_);
  put_plan(change_, record_, plan_);
}

}  // namespace

Preparation::Preparation(ResubmissionRequest asked) : request(std::move(asked)) {
  if (!request.items) return;
  const auto& items = *request.items;
  order.resize(items.size());
  found.resize(items.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return items[a].delivery_id < items[b].delivery_id;
  });
}

std::optional<ResubmissionAccepted> choose_piece(Change& change, Preparation& preparation) {
  return Choosing{change, preparation}.run();
}

Preparation adopt(const Change& change, const Uuid& id) {
  const auto record = resubmission_record(change, id);
  if (!record) throw Refused{{Fault::damaged, "the record of a resubmission is missing"}};
  const auto plan = resubmission_plan(change, id);
  ResubmissionRequest request;
  request.key = record->key;
  request.group = record->group;
  request.from = record->from;
  request.until = record->until;
  request.recipient = plan.recipient;
  request.message_id = plan.message_id;
  request.lifetime = plan.lifetime;
  Preparation preparation{std::move(request)};
  preparation.id = id;
  preparation.adopted = true;
  preparation.next = plan.next;
  preparation.end = plan.end;
  return preparation;
}

}  // namespace dumpster::rocks
