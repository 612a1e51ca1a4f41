#include "dumpster/rocksdb/history.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "dumpster/records.hpp"

namespace dumpster::rocks {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_address(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// One walk: who fits is known at its acceptance, which comes before everything else of it.
class Finding {
 public:
  Finding(const HistoryQuery& query, const std::vector<StorageGroup>& groups)
      : query_(query), groups_(groups) {}

  void see(HistoryEvent event);
  HistoryFound take();

 private:
  bool is_the_one(const Uuid& message) const;
  bool fits(const HistoryEvent& event) const;
  std::vector<HistoryEvent>* events_of(const Uuid& message);

  const HistoryQuery& query_;
  const std::vector<StorageGroup>& groups_;
  std::unordered_map<Uuid, std::vector<HistoryEvent>> found_;
  std::deque<Uuid> order_;
  HistoryFound result_;
};

/// A delivery's id has the message's time and a hash of message and group.
bool Finding::is_the_one(const Uuid& message) const {
  constexpr std::size_t shared = 6;
  if (message == *query_.id) return true;
  if (!std::equal(message.bytes.begin(), message.bytes.begin() + shared, query_.id->bytes.begin()))
    return false;
  return std::any_of(groups_.begin(), groups_.end(), [&](const StorageGroup& group) {
    return delivery_id_of(message, group.cluster, group.group) == *query_.id;
  });
}

bool Finding::fits(const HistoryEvent& event) const {
  if (query_.id && !is_the_one(event.message)) return false;
  // What was accepted before the history begins is only found by its id.
  if (event.kind != HistoryEvent::Kind::accepted)
    return query_.id && query_.message_id.empty() && query_.recipient.empty();
  if (!query_.message_id.empty() && event.message_id != query_.message_id) return false;
  if (query_.recipient.empty()) return query_.id || !query_.message_id.empty();
  const auto wanted = [this](const std::string& address) { return same_address(address, query_.recipient); };
  return std::any_of(event.addresses.begin(), event.addresses.end(), wanted) ||
         std::any_of(event.originals.begin(), event.originals.end(), wanted);
}

std::vector<HistoryEvent>* Finding::events_of(const Uuid& message) {
  const auto known = found_.find(message);
  return known == found_.end() ? nullptr : &known->second;
}

void Finding::see(HistoryEvent event) {
  if (!result_.since) result_.since = event.at;
  if (auto* events = events_of(event.message)) {
    events->push_back(std::move(event));
    return;
  }
  if (!fits(event)) return;
  order_.push_back(event.message);
  found_[event.message].push_back(std::move(event));
  if (order_.size() <= query_.most) return;
  result_.more = true;
  found_.erase(order_.front());
  order_.pop_front();
}

HistoryFound Finding::take() {
  for (const auto& message : order_)
    result_.messages.push_back({message, std::move(found_.at(message))});
  return std::move(result_);
}

}  // namespace

Result<HistoryFound> find_history(const Database& database, const HistoryQuery& query,
                                  const std::vector<StorageGroup>& groups) {
  Finding finding{query, groups};
  std::optional<Error> damage;
  const auto walked = database.walk(Family::history, {}, {}, [&](std::string_view, std::string_view payload) {
    auto events = decode_history(payload);
    if (!events) {
      damage = events.error();
      return false;
    }
    for (auto& event : *events)
      finding.see(std::move(event));
    return true;
  });
  if (!walked) return walked.error();
  if (damage) return *damage;
  return finding.take();
}

}  // namespace dumpster::rocks
