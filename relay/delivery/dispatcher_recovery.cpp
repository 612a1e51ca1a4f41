#include <boost/asio/post.hpp>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

namespace {

constexpr std::size_t messages_per_page = 1000;
constexpr std::uint32_t writes_at_a_time = 64;
constexpr std::size_t reads_at_a_time = 64;

}  // namespace

void Dispatcher::start(std::function<void(std::string)> done) {
  on_own_thread([this, done = std::move(done)]() mutable {
    unclean_ = !store_.identity().clean_shutdown;
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
  if (unclean_ && doubts_after_crash(spooled)) {
    to_recover_.push_back(std::move(spooled));
    return;
  }
  auto queued = std::make_shared<QueuedMessage>();
  queued->spooled = std::move(spooled);
  messages_.emplace(queued->spooled.message.key, std::move(queued));
}

/// What had been answered with 250 and may have been under way to a cluster when the hub ended without a
/// farewell: never tried as far as is known, or marked as being tried (promise 8, crash of a hub).
std::optional<dumpster::AttemptOutcome> Dispatcher::doubts_after_crash(
    const dumpster::SpooledMessage& spooled) const {
  const auto directory = directory_();
  dumpster::AttemptOutcome outcome;
  outcome.message = spooled.message.key;
  outcome.attempt = spooled.attempts + 1;
  for (const auto& entry : spooled.entries) {
    if (entry.attempts > 0 && !entry.trying) continue;
    if (entry.in_doubt && !entry.trying) continue;
    auto group = entry.group;
    auto mailbox = entry.mailbox;
    if (!group) {
      const auto found = directory->find(spooled.message.envelope.recipients.at(entry.index).address);
      const auto* resolved = std::get_if<std::vector<Resolved>>(&found);
      if (resolved == nullptr || resolved->empty()) continue;
      const auto* at = std::get_if<dumpster::StorageGroup>(&resolved->front().route);
      if (at == nullptr) continue;
      group = *at;
      mailbox = resolved->front().mailbox;
    }
    const auto cluster = clusters_.find(group->cluster);
    if (cluster == clusters_.end()) continue;
    if (outcome.target && outcome.target->group != *group) continue;  // the next pass of the loop takes it
    outcome.target =
        dumpster::AttemptTarget{*group, cluster->second.state.active, cluster->second.state.term};
    dumpster::RecipientOutcome doubt;
    doubt.index = entry.index;
    doubt.kind = dumpster::RecipientOutcome::Kind::in_doubt;
    doubt.mailbox = mailbox;
    doubt.reply = "451 4.3.0 the hub ended while this may have been under way";
    doubt.next_attempt = clock_.now();
    outcome.recipients.push_back(std::move(doubt));
  }
  if (outcome.recipients.empty()) return std::nullopt;
  return outcome;
}

void Dispatcher::recover_next() {
  while (recovering_ < writes_at_a_time && !to_recover_.empty()) {
    auto spooled = std::make_shared<dumpster::SpooledMessage>(std::move(to_recover_.front()));
    to_recover_.pop_front();
    auto outcome = doubts_after_crash(*spooled);
    ++recovering_;
    store_.record(std::move(*outcome), [this, spooled](dumpster::Result<dumpster::AttemptRecorded> result) {
      on_own_thread([this, spooled, result = std::move(result)]() mutable {
        --recovering_;
        if (!result) {
          started_callback_(result.error().detail);
          return;
        }
        if (result->left) take_over(std::move(*result->left));
        recover_next();
      });
    });
  }
  if (recovering_ > 0 || !to_recover_.empty() || loaded_) return;
  metrics::log_info("spool loaded",
                    {{"messages", messages_.size()}, {"clean_shutdown", unclean_ ? "no" : "yes"}});
  loaded_ = true;
  unclean_ = false;  // what comes from the store later was never under way before this run
  std::vector<Message> all;
  all.reserve(messages_.size());
  for (const auto& [key, message] : messages_)
    all.push_back(message);
  for (const auto& message : all)
    schedule(message);
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
    return;
  }
  const auto found = messages_.find(key);
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
