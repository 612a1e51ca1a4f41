#include <algorithm>
#include <boost/asio/post.hpp>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

namespace {

constexpr std::size_t messages_per_page = 1000;
constexpr std::uint32_t recoveries_at_a_time = 512;  // as many share one synced write
constexpr std::size_t reads_at_a_time = 64;

/// What had been answered with 250 and may have been under way when the hub ended without a farewell: never
/// tried as far as is known, or marked as being tried (promise 8, crash of a hub).
bool maybe_under_way(const dumpster::SpoolEntry& entry) {
  if (entry.attempts > 0 && !entry.trying) return false;
  return !entry.in_doubt || entry.trying;
}

/// One line for each recipient that is to be delivered again.
void log_resubmitted(const QueuedMessage* before, const dumpster::SpooledMessage& now) {
  for (const auto& entry : now.entries) {
    const auto* known = before == nullptr ? nullptr : before->entry(entry.index);
    if (entry.resubmission.is_nil() || (known != nullptr && known->resubmission == entry.resubmission))
      continue;
    const auto& envelope = now.message.envelope;
    metrics::log_info("resubmitted", {{"id", dumpster::to_string(now.message.key)},
                                      {"message_id", now.message.message_id},
                                      {"sender", envelope.sender},
                                      {"recipient", envelope.recipients.at(entry.index).address},
                                      {"destination", entry.group->cluster + "/" + entry.group->group},
                                      {"resubmission", dumpster::to_string(entry.resubmission)}});
  }
}

}  // namespace

void Dispatcher::start(std::function<void(std::string)> done) {
  on_own_thread([this, done = std::move(done)]() mutable {
    started_callback_ = std::move(done);
    auto waiting = std::make_shared<std::size_t>(clusters_.size());
    if (clusters_.empty()) load_next(started_callback_, std::nullopt);
    for (auto& [name, cluster] : clusters_) {
      store_.cluster_state(name, [this, key = name, waiting](dumpster::Result<dumpster::ClusterState> state) {
        on_own_thread([this, key, waiting, state = std::move(state)]() mutable {
          if (!state) {
            started_callback_(state.error().detail);
            return;
          }
          at_start_.emplace(key, *state);
          clusters_.at(key).state = std::move(*state);
          if (--*waiting == 0) load_next(started_callback_, std::nullopt);
        });
      });
    }
  });
}

void Dispatcher::load_next(std::function<void(std::string)> done, std::optional<dumpster::Uuid> after) {
  store_.scan_spool(after, messages_per_page,
                    [this, done](dumpster::Result<std::vector<dumpster::SpooledMessage>> page) {
                      on_own_thread([this, done, page = std::move(page)]() mutable {
                        if (!page) {
                          done(page.error().detail);
                          return;
                        }
                        if (page->empty()) {
                          recover_next();
                          return;
                        }
                        const auto last = page->back().message.key;
                        for (auto& spooled : *page)
                          take_over(std::move(spooled));
                        load_next(done, last);
                      });
                    });
}

void Dispatcher::take_over(dumpster::SpooledMessage spooled) {
  auto queued = std::make_shared<QueuedMessage>();
  queued->spooled = std::move(spooled);
  const auto& entries = queued->spooled.entries;
  queued->after_crash = unclean_ && std::any_of(entries.begin(), entries.end(), maybe_under_way);
  if (queued->after_crash) to_recover_.push_back(queued);
  messages_.emplace(queued->spooled.message.key, std::move(queued));
}

/// Doubts about one storage group; the next pass takes another one's. Recipients that are not on a cluster
/// have none.
Dispatcher::CrashDoubts Dispatcher::doubts_after_crash(const QueuedMessage& message,
                                                       const LookedUp& looked_up) const {
  const auto directory = directory_();
  CrashDoubts doubts;
  for (const auto& entry : message.spooled.entries) {
    if (!maybe_under_way(entry)) continue;
    if (entry.group) {
      add_doubt(entry, *entry.group, entry.mailbox, doubts);
      continue;
    }
    const auto& address = message.spooled.message.envelope.recipients.at(entry.index).address;
    const auto known = looked_up.find(address);
    const auto found =
        known != looked_up.end() ? std::optional<Lookup>{known->second} : directory->find(address);
    if (!found) {
      doubts.to_look_up.push_back({entry.index, address});
    } else if (const auto* resolved = std::get_if<std::vector<Resolved>>(&*found)) {
      const auto* group = std::get_if<dumpster::StorageGroup>(&resolved->front().route);
      if (group != nullptr) add_doubt(entry, *group, resolved->front().mailbox, doubts);
    } else if (std::get<LookupFault>(*found) == LookupFault::unavailable) {
      doubts.unsure = true;
    }
  }
  return doubts;
}

/// In doubt at the node that was active when the run before ended: an activation may have come since.
void Dispatcher::add_doubt(const dumpster::SpoolEntry& entry, dumpster::StorageGroup group,
                           std::string mailbox, CrashDoubts& doubts) const {
  const auto cluster = at_start_.find(group.cluster);
  if (cluster == at_start_.end()) return;
  if (doubts.outcome && doubts.outcome->target->group != group) return;
  if (!doubts.outcome) {
    doubts.outcome.emplace();
    doubts.outcome->target =
        dumpster::AttemptTarget{std::move(group), cluster->second.active, cluster->second.term};
  }
  dumpster::RecipientOutcome doubt;
  doubt.index = entry.index;
  doubt.kind = dumpster::RecipientOutcome::Kind::in_doubt;
  doubt.mailbox = std::move(mailbox);
  doubt.reply = "451 4.3.0 the hub ended while this may have been under way";
  doubt.next_attempt = clock_.now();
  doubts.outcome->recipients.push_back(std::move(doubt));
}

/// Records what may have been under way, before anything of the message is sent. While the directory cannot
/// say whether it goes to a cluster at all, the message waits.
void Dispatcher::recover(const Message& message, const LookedUp& looked_up) {
  if (message->recording > 0 || !message->busy.empty()) return;  // under way already
  auto doubts = doubts_after_crash(*message, looked_up);
  if (!doubts.to_look_up.empty()) {
    look_up(message, std::move(doubts.to_look_up), {});
  } else if (doubts.outcome) {
    record_doubts(message, std::move(*doubts.outcome));
  } else if (doubts.unsure) {
    wake(message, clock_.now() + settings_.back_off.retry_min);
    recovered(message);
  } else {
    message->after_crash = false;
    recovered(message);
  }
}

void Dispatcher::record_doubts(const Message& message, dumpster::AttemptOutcome outcome) {
  outcome.message = message->spooled.message.key;
  outcome.attempt = message->spooled.attempts + 1;
  ++message->recording;
  ++message->recordings;
  ++recordings_;
  auto done = [this, message](dumpster::Result<dumpster::AttemptRecorded> result) {
    on_own_thread([this, message, result = std::move(result)]() mutable {
      --message->recording;
      --recordings_;
      if (!result && !loaded_) {
        started_callback_(result.error().detail);
      } else if (!result) {
        metrics::log_error("outcome not recorded", {{"id", dumpster::to_string(message->spooled.message.key)},
                                                    {"reason", result.error().detail}});
        wake(message, clock_.now() + settings_.back_off.retry_min);
      } else if (result->left) {
        message->spooled = std::move(*result->left);
        recover(message, {});
      } else {
        message->spooled.entries.clear();
        message->after_crash = false;
        forget_when_settled(message);
        recovered(message);
      }
      drained_when_idle();
    });
  };
  store_.record(std::move(outcome), std::move(done));
}

/// The message has had its turn: at the start others have theirs, afterwards it goes on as any other.
void Dispatcher::recovered(const Message& message) {
  if (loaded_) {
    if (!message->after_crash) schedule(message);
    return;
  }
  // Not from here: each would stand on the stack of the one before.
  on_own_thread([this] {
    --recovering_;
    recover_next();
  });
}

bool Dispatcher::left_unrecorded() const {
  const auto waits = [](const auto& known) { return known.second->after_crash; };
  return !unrecorded_.empty() || unclean_ || std::any_of(messages_.begin(), messages_.end(), waits);
}

void Dispatcher::recover_next() {
  while (recovering_ < recoveries_at_a_time && !to_recover_.empty()) {
    const auto message = to_recover_.front();
    to_recover_.pop_front();
    ++recovering_;
    recover(message, {});
  }
  if (recovering_ == 0 && to_recover_.empty() && !loaded_) all_recovered();
}

void Dispatcher::all_recovered() {
  metrics::log_info("spool loaded",
                    {{"messages", messages_.size()}, {"clean_shutdown", unclean_ ? "no" : "yes"}});
  loaded_ = true;
  unclean_ = false;  // what comes from the store later was never under way before this run
  std::vector<Message> all;
  all.reserve(messages_.size());
  for (const auto& [key, message] : messages_)
    all.push_back(message);
  for (const auto& message : all) {
    if (!message->after_crash) schedule(message);
  }
  for (const auto& [name, cluster] : clusters_)
    pass_barrier(name);
  reload_next();
  tick();
  started_callback_({});
}

void Dispatcher::reload(std::vector<dumpster::Uuid> messages) {
  on_own_thread([this, messages = std::move(messages)] {
    to_reload_.insert(to_reload_.end(), messages.begin(), messages.end());
    reload_next();
  });
}

std::optional<std::uint64_t> Dispatcher::recordings_of(const dumpster::Uuid& key) const {
  const auto known = messages_.find(key);
  if (known == messages_.end()) return std::nullopt;
  return known->second->recordings;
}

void Dispatcher::reload_next() {
  while (loaded_ && reloading_.size() < reads_at_a_time && !to_reload_.empty()) {
    const auto key = to_reload_.front();
    to_reload_.pop_front();
    if (!reloading_.insert(key).second) continue;
    const auto before = recordings_of(key);
    store_.load(key, [this, key, before](dumpster::Result<std::optional<dumpster::SpooledMessage>> result) {
      on_own_thread([this, key, before, result = std::move(result)]() mutable {
        reloading_.erase(key);
        const auto known = messages_.find(key);
        // An outcome written while this was read makes it stale: believing it could deliver a message twice.
        const bool being_written = known != messages_.end() && known->second->recording > 0;
        if (being_written || recordings_of(key) != before) {
          to_reload_.push_back(key);
        } else {
          reloaded(key, std::move(result));
        }
        reload_next();
      });
    });
  }
}

void Dispatcher::reloaded(dumpster::Uuid key,
                          dumpster::Result<std::optional<dumpster::SpooledMessage>> result) {
  if (!result) {
    metrics::log_error("message not loaded",
                       {{"id", dumpster::to_string(key)}, {"reason", result.error().detail}});
    // It waits in the store where it is: whether what was known of it still holds, nobody can say.
    if (result.error().fault != dumpster::Fault::damaged) return;
    result = std::optional<dumpster::SpooledMessage>{};
  }
  const auto found = messages_.find(key);
  if (*result) log_resubmitted(found == messages_.end() ? nullptr : found->second.get(), **result);
  if (found == messages_.end()) {
    if (!*result) return;
    take_over(std::move(**result));
    schedule(messages_.at(key));
    return;
  }
  const auto message = found->second;
  message->spooled.entries = *result ? std::move((*result)->entries) : std::vector<dumpster::SpoolEntry>{};
  schedule(message);
  forget_when_settled(message);
}

}  // namespace relay
