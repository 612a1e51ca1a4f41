#include "relay/directory/ldap/ldap_directory.hpp"

#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "metrics/log.hpp"
#include "relay/directory/alias_expansion.hpp"
#include "relay/directory/ldap/cache.hpp"
#include "relay/directory/ldap/connection.hpp"

namespace relay::ldap {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_waiting = 10'000;
constexpr std::chrono::seconds away_pause{1};

EntryAnswer answer_of(const Cache::Known& known) {
  if (!known) return NoSuchEntry{};
  if (known->faulty) return EntryUnavailable{};
  return known->view();
}

/// What is known without asking. Keeps what it has given out for as long as it lives.
class CacheSource : public RecipientSource {
 public:
  explicit CacheSource(Cache& cache) : cache_(cache) {}

  EntryAnswer find(std::string_view key) override {
    auto known = cache_.find(key, Clock::now());
    return known ? keep(std::move(*known)) : EntryAnswer{EntryNotAtHand{}};
  }

 protected:
  EntryAnswer keep(Cache::Known known) {
    kept_.push_back(std::move(known));
    return answer_of(kept_.back());
  }
  Cache& cache_;

 private:
  std::vector<Cache::Known> kept_;
};

/// Whether somebody is there, as far as is known. Thread-safe.
class Reachability {
 public:
  explicit Reachability(metrics::HubMetrics& metrics) : metrics_(metrics) {}

  /// Not to be asked now.
  bool away() const { return Clock::now() < until_.load(); }
  void answered() {
    until_.store(Clock::time_point{});
    if (was_away_.exchange(false)) metrics::log_info("directory server answers again");
  }
  void gone(const std::string& reason) {
    until_.store(Clock::now() + away_pause);
    metrics_.directory_query("failed");
    if (!was_away_.exchange(true)) metrics::log_error("directory server away", {{"reason", reason}});
  }

 private:
  metrics::HubMetrics& metrics_;
  std::atomic<Clock::time_point> until_{};
  std::atomic<bool> was_away_{false};
};

/// Asks the server for what is not known.
class ServerSource final : public CacheSource {
 public:
  ServerSource(const Settings& settings, Cache& cache, Connection& connection, Reachability& reachability,
               metrics::HubMetrics& metrics, Deadline deadline)
      : CacheSource(cache),
        settings_(settings),
        connection_(connection),
        reachability_(reachability),
        metrics_(metrics),
        deadline_(deadline) {}

  EntryAnswer find(std::string_view key) override {
    auto known = CacheSource::find(key);
    if (!std::holds_alternative<EntryNotAtHand>(known)) return known;
    const auto filter = settings_.filter.fill(key);
    if (!filter) return NoSuchEntry{};
    if (reachability_.away() || Clock::now() >= deadline_) return EntryUnavailable{};
    auto answer = connection_.search(*filter, deadline_);
    if (auto* failure = std::get_if<SearchFailure>(&answer)) return failed(key, *failure);
    reachability_.answered();
    metrics_.directory_query("answered");
    return answered(key, std::get<std::vector<AttributeValues>>(answer));
  }

 private:
  EntryAnswer failed(std::string_view key, const SearchFailure& failure) {
    if (failure.server_away) {
      reachability_.gone(failure.text);
    } else {
      metrics_.directory_query("failed");
      metrics::log_warning("directory search failed", {{"key", std::string{key}}, {"reason", failure.text}});
    }
    return EntryUnavailable{};
  }

  EntryAnswer answered(std::string_view key, const std::vector<AttributeValues>& entries) {
    const auto now = Clock::now();
    if (entries.empty()) {
      cache_.put(key, nullptr, now + settings_.negative_cache_time);
      return NoSuchEntry{};
    }
    auto made = entries.size() > 1 ? std::variant<KnownEntry, EntryFault>{EntryFault{"there are several"}}
                                   : entry_from(key, entries.front(), settings_);
    auto lifetime = settings_.cache_time;
    if (const auto* fault = std::get_if<EntryFault>(&made)) {
      metrics::log_error("directory entry unusable", {{"key", std::string{key}}, {"reason", fault->text}});
      KnownEntry faulty;
      faulty.key = key;
      faulty.faulty = true;
      made = std::move(faulty);
      lifetime = settings_.negative_cache_time;
    }
    auto known = std::make_shared<const KnownEntry>(std::move(std::get<KnownEntry>(made)));
    cache_.put(key, known, now + lifetime);
    return keep(std::move(known));
  }

  const Settings& settings_;
  Connection& connection_;
  Reachability& reachability_;
  metrics::HubMetrics& metrics_;
  const Deadline deadline_;
};

/// Signals go to other threads: libldap writes its farewell to servers that are gone, and SIGPIPE would end
/// the process; any other cuts a handshake short.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

class Pool final : public LdapDirectory {
 public:
  Pool(Settings settings, metrics::HubMetrics& metrics)
      : settings_(std::move(settings)),
        metrics_(metrics),
        cache_(settings_.cache_size),
        reachability_(metrics) {
    for (unsigned i = 0; i < settings_.connections; ++i)
      threads_.emplace_back([this] { work(); });
  }
  ~Pool() override { close(); }

  std::optional<Lookup> find(std::string_view address) const override {
    CacheSource source{cache_};
    return AliasExpansion{source, settings_.hub_name}.run(address);
  }

  void ask(std::string address, std::function<void(Lookup)> done) const override {
    {
      const std::lock_guard lock{mutex_};
      if (!closed_ && waiting_.size() < most_waiting) {
        waiting_.push_back({std::move(address), std::move(done), Clock::now() + settings_.timeout});
        wake_.notify_one();
        return;
      }
    }
    done(LookupFault::unavailable);
  }

  void forget() const override { cache_.clear(); }

  void close() const override {
    std::vector<std::thread> ending;
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
      ending.swap(threads_);
      wake_.notify_all();
    }
    for (auto& thread : ending)
      thread.join();
    std::deque<Request> unanswered;
    {
      const std::lock_guard lock{mutex_};
      unanswered.swap(waiting_);
    }
    for (const auto& request : unanswered)
      request.done(LookupFault::unavailable);
  }

 private:
  struct Request {
    std::string address;
    std::function<void(Lookup)> done;
    Deadline deadline;
  };

  void work() const {
    block_signals();
    Connection connection{settings_};
    while (auto request = next()) {
      ServerSource source{settings_, cache_, connection, reachability_, metrics_, request->deadline};
      auto answer = AliasExpansion{source, settings_.hub_name}.run(request->address);
      request->done(std::move(*answer));
    }
  }

  std::optional<Request> next() const {
    std::unique_lock lock{mutex_};
    wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (closed_) return std::nullopt;
    auto request = std::move(waiting_.front());
    waiting_.pop_front();
    return request;
  }

  const Settings settings_;
  metrics::HubMetrics& metrics_;
  mutable Cache cache_;
  mutable Reachability reachability_;
  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;
  mutable std::deque<Request> waiting_;
  mutable std::vector<std::thread> threads_;
  mutable bool closed_ = false;
};

}  // namespace

std::shared_ptr<const LdapDirectory> make_ldap_directory(Settings settings, metrics::HubMetrics& metrics) {
  return std::make_shared<Pool>(std::move(settings), metrics);
}

}  // namespace relay::ldap
