#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"
#include "relay/delivery/outcome.hpp"
#include "relay/delivery/worker.hpp"
#include "relay/directory/directory.hpp"
#include "relay/net/io_threads.hpp"
#include "relay/notification/notification.hpp"
#include "relay/notification/postmaster_report.hpp"
#include "relay/queue/destination_queue.hpp"
#include "relay/queue/inspection.hpp"
#include "relay/queue/plan.hpp"
#include "relay/queue/slowdowns.hpp"

namespace relay {

using DirectoryProvider = std::function<std::shared_ptr<const Directory>()>;
using NextHopPoliciesProvider = std::function<std::shared_ptr<const NextHopPolicies>()>;

struct ClusterRoutes {
  std::string name;
  std::map<std::string, NextHop> nodes;
};

struct DispatcherSettings {
  std::string hub_name;
  BackOff back_off;
  dumpster::Duration queue_lifetime = std::chrono::hours{24 * 5};
  dumpster::Duration in_doubt_wait = std::chrono::seconds{60};
  std::optional<NextHop> smarthost;
  dumpster::Duration delay_warning = std::chrono::hours{4};  ///< zero: nobody is told of delays
  std::string postmaster;  ///< is told what can be told to no sender; empty: nobody
  std::vector<ClusterRoutes> clusters;
  NextHopPoliciesProvider policies;  ///< asked for each new connection
  std::uint32_t connections_per_destination = 20;
  std::uint32_t max_connections = 500;  ///< of the whole hub to all destinations
  /// Told how long mail for some destinations is to be kept waiting, whenever that may have changed. On the
  /// dispatcher's thread.
  std::function<void(std::shared_ptr<const Slowdowns>)> slow_down = [](const auto&) {};
};

/// The queue at work: plans what is to be done for each spooled message, opens connections, gives them jobs,
/// records what became of them, and changes a cluster's active node behind the barrier of promise 8.
///
/// Concurrency: everything happens on the first io thread; public calls may come from any thread and are
/// carried there. Workers live on all io threads and report back. Lives until the io threads have stopped.
class Dispatcher : public WorkerOwner {
 public:
  Dispatcher(IoThreads& threads, dumpster::Store& store, DirectoryProvider directory,
             metrics::HubMetrics& metrics, const dumpster::Clock& clock, DispatcherSettings settings);

  /// Loads the spool and begins. After an unclean end of the run before, what may have been under way to a
  /// cluster is recorded as in doubt first. `done` is called once everything is loaded, or with what
  /// prevented it.
  void start(std::function<void(std::string failure)> done);
  /// A message that the store has just accepted.
  void submit(dumpster::Message message, std::shared_ptr<const FreshBody> body);
  void reload(std::vector<dumpster::Uuid> messages);
  /// The directory may give other routes now: what waits for a transaction is looked at again, so many a
  /// second, and goes where it belongs. `probe`: dead destinations are probed at once, too.
  void look_at_routes(bool probe);
  void activate(dumpster::Activation activation, dumpster::Completion<dumpster::ActivationResult> done);

  /// Until when a cluster is held (nothing: it is not), and how many transactions with it are under way.
  struct Holding {
    std::optional<dumpster::Instant> until;
    std::uint64_t in_flight = 0;
  };
  /// Begins no transaction with the cluster before `duration` is over. Durable when answered; an activation
  /// leaves it as it is. `not_found`, or `unavailable` with nothing changed.
  void hold(std::string cluster, dumpster::Duration duration, dumpster::Completion<Holding> done);
  void release(std::string cluster, dumpster::Completion<Holding> done);
  /// A node's agent was heard just now: noted when the node is the active one, so that what falls in doubt
  /// from here on is held. Not durable; the store is told by whoever calls.
  void agent_heard(std::string cluster, std::string node);

  struct QueuePage {
    std::vector<QueuedMail> mails;                 ///< oldest first
    std::optional<dumpster::Uuid> continue_after;  ///< `after` of the next page; nothing after the last one
  };
  /// What of the queue fits, page by page.
  void queue(QueueFilter filter, std::optional<dumpster::Uuid> after, std::function<void(QueuePage)> done);

  enum class QueueAction : std::uint8_t { hold, release, retry, remove };
  struct QueueSelection {
    dumpster::Uuid message;
    std::vector<std::uint32_t> recipients;
  };
  struct QueueChanged {
    std::uint64_t messages = 0;
    std::uint64_t recipients = 0;
    std::uint64_t under_way = 0;  ///< recipients left alone: a transaction with them is under way
  };
  /// An operator's order. Holds, releases and deletions are durable when answered; a failure may leave some
  /// of them done. Nobody is told of a deletion but the log.
  void change_queue(QueueAction action, std::vector<QueueSelection> selected,
                    std::function<void(dumpster::Result<QueueChanged>)> done);

  struct Status {
    std::string route;
    std::uint64_t queued = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t held_in_doubt = 0;
    std::string last_error;
  };
  void status(std::function<void(std::vector<Status>)> done);
  /// What there is to do for one cluster: cheap, to be asked often.
  struct Load {
    std::uint64_t fresh_waiting = 0;
    std::uint64_t resubmitted_waiting = 0;
    std::uint64_t loading = 0;  ///< messages being read from the store, whatever they are for
    std::uint64_t in_flight = 0;
    bool unreachable = false;
    bool held = false;
  };
  void load(std::string cluster, std::function<void(Load)> done);

  /// Begins no more; lets what is under way end within `patience`, then breaks it off. `done` when all is
  /// recorded.
  void drain(std::chrono::milliseconds patience, std::function<void()> done);
  /// Whether the store could not be told what became of something, or what the run before left in doubt is
  /// not recorded yet. Then its end must not count as a clean one: the next start finds those in doubt. For
  /// after the io threads have stopped.
  bool left_unrecorded() const;

  // WorkerOwner
  void worker_ready(std::shared_ptr<Worker> worker) override;
  void worker_finished(std::shared_ptr<Worker> worker, Assignment assignment, TransactionEnd end,
                       std::chrono::nanoseconds duration) override;
  void worker_gone(std::shared_ptr<Worker> worker, std::string failure) override;

 private:
  using Message = std::shared_ptr<QueuedMessage>;
  using Request = std::shared_ptr<const notification::NotificationRequest>;

  struct PendingActivation {
    dumpster::Activation activation;
    dumpster::Completion<dumpster::ActivationResult> done;
  };

  struct ClusterAtWork {
    dumpster::ClusterState state;
    std::map<std::string, NextHop> nodes;
    std::deque<PendingActivation> activations;  ///< not empty: the barrier is up, nothing new begins
    bool activating = false;                    ///< the store has been asked
    dumpster::Instant released_at{};            ///< when an operator ended its last hold
    bool unsure =
        false;  ///< the store failed under an activation: what it holds is asked before anything begins
  };

  /// What became of an attempt, while the store cannot be told.
  struct Unrecorded {
    Message message;
    std::shared_ptr<const dumpster::AttemptOutcome> outcome;
    std::optional<std::string> cluster;
    Request request;  ///< what its notification was built from
  };

  struct Connections {
    explicit Connections(DestinationQueue jobs) : queue(std::move(jobs)) {}

    DestinationQueue queue;
    std::set<std::shared_ptr<Worker>> connecting;
    std::map<std::shared_ptr<Worker>, dumpster::Instant> idle;
    std::set<std::shared_ptr<Worker>> working;
    std::uint32_t in_flight = 0;  ///< jobs given to a worker and not yet recorded
    /// No job that waits here is too old before this.
    dumpster::Instant nothing_expires_before = dumpster::Instant::max();
    /// So many of the jobs that wait, at the most, are still to be compared with what the directory says now:
    /// of those whose `route_as_of` is before `routes_as_of`.
    std::size_t to_compare = 0;
    std::uint32_t routes_as_of = 0;
    bool all_compared = true;

    std::uint32_t open() const {
      return static_cast<std::uint32_t>(connecting.size() + idle.size() + working.size());
    }
  };

  // --- dispatcher.cpp: planning
  void on_own_thread(std::function<void()> action);
  void schedule(const Message& message, const std::string& expedited_cluster = {}, LookedUp looked_up = {});
  void wake(const Message& message, dumpster::Instant instant);
  std::optional<HoldConditions> hold_of(const std::string& cluster) const;
  void tick();
  void fire_timers(dumpster::Instant now);
  void refresh();
  double chance();

  // --- dispatcher_connections.cpp: opening connections and handing out
  void pump(Connections& connections);
  bool give(Connections& connections, const std::shared_ptr<Worker>& worker, Job job);
  void put_back(Job job);
  bool still_due(const Job& job, const JobRecipient& recipient) const;
  std::optional<NextHop> next_hop_of(const Destination& destination) const;
  Connections& connections_to(const Destination& destination);
  Connections* connections_of(const std::shared_ptr<Worker>& worker);
  ClusterAtWork* cluster_of(const Destination& destination);
  bool open_for_work(const ClusterAtWork& cluster) const;
  void look_after_connections(dumpster::Instant now);
  void share_connections();

  // --- dispatcher_load.cpp
  bool takes_mail(const Connections& connections);
  void slow_down();

  // --- dispatcher_hold.cpp
  static void note_agent(dumpster::ClusterState& state, const std::string& node, dumpster::Instant heard);
  void set_hold(const std::string& cluster, std::optional<dumpster::Instant> until,
                dumpster::Completion<Holding> done);

  // --- dispatcher_lookups.cpp: routes that the directory has to be asked for
  /// What a message waits for: none of these recipients is planned meanwhile.
  struct Question {
    Message message;
    std::vector<ToLookUp> wanted;
    std::string expedited_cluster;
    LookedUp answers;
    std::size_t unanswered = 0;
  };
  void look_up(const Message& message, std::vector<ToLookUp> wanted, const std::string& expedited_cluster);
  void look_up_next();
  void looked_up(const std::shared_ptr<Question>& question);

  // --- dispatcher_routes.cpp: routes that have changed under what waits
  void compare_routes();
  std::size_t compare_routes(Connections& connections, std::size_t most);
  bool has_moved(const Job& job, const Directory& directory);
  void ask_for_route(const Job& job, const JobRecipient& recipient, const std::string& address,
                     const Directory& directory);
  void after_failure(Connections& connections, bool was_dead);

  // --- dispatcher_outcomes.cpp: what became of it
  void finished(const std::shared_ptr<Worker>& worker, Assignment assignment, TransactionEnd end);
  void learn(Connections& connections, const TransactionEnd& end);
  void record(const Message& message, dumpster::AttemptOutcome outcome,
              std::optional<Destination> in_flight_of, bool dsn_passed_on = true);
  void write(const Message& message, dumpster::AttemptOutcome outcome,
             std::optional<Destination> in_flight_of, Request request);
  void recorded(const Message& message, const dumpster::AttemptOutcome& outcome,
                dumpster::Result<dumpster::AttemptRecorded> result);
  void refuse(const Message& message, std::vector<Unroutable> recipients);
  void expire(dumpster::Instant now);
  dumpster::Instant expires_at(const Job& job) const;
  dumpster::Instant hold_ended(const Destination& destination) const;
  void forget_when_settled(const Message& message);
  void count(const Job& job, const dumpster::AttemptOutcome& outcome);

  // --- dispatcher_operator.cpp
  struct OrderedChange;
  void retry_now(const Message& message, const std::vector<std::uint32_t>& recipients, OrderedChange& order);
  void hold_in_queue(const Message& message, std::vector<std::uint32_t> recipients,
                     const std::shared_ptr<OrderedChange>& order);
  void remove_from_queue(const Message& message, std::vector<std::uint32_t> recipients,
                         const std::shared_ptr<OrderedChange>& order);
  void one_less(OrderedChange& order);
  void take_out_of_jobs(const std::set<Message>& messages);
  void log_operation(const QueuedMessage& message, const std::vector<std::uint32_t>& recipients,
                     std::string_view what) const;

  // --- dispatcher_notifications.cpp: who is told what
  std::vector<notification::RecipientStatus> to_be_told(const QueuedMessage& message,
                                                        const dumpster::AttemptOutcome& outcome,
                                                        bool dsn_passed_on) const;
  void complete(const QueuedMessage& message, notification::NotificationRequest& request) const;
  std::optional<dumpster::NewMessage> built(const notification::NotificationRequest& request);
  /// `request`: what the outcome's notification was built from; null where it has none.
  using Notified = std::function<void(dumpster::AttemptOutcome outcome, Request request)>;
  void read_and_notify(const Message& message, std::vector<notification::RecipientStatus> told,
                       dumpster::AttemptOutcome outcome, Notified then);
  std::vector<dumpster::Recipient> resolved(const std::string& address) const;
  void tell_of_delays(dumpster::Instant now);
  void tell_of_delay(const Message& message, dumpster::Instant now);
  void note_for_postmaster(const QueuedMessage& message, const dumpster::AttemptOutcome& outcome);
  void report_to_postmaster(dumpster::Instant now);

  // --- dispatcher_recovery.cpp: from the store
  void load_next(std::function<void(std::string)> done, std::optional<dumpster::Uuid> after);
  void take_over(dumpster::SpooledMessage spooled);
  /// What is to be recorded of a message that may have been under way.
  struct CrashDoubts {
    std::optional<dumpster::AttemptOutcome> outcome;
    std::vector<ToLookUp> to_look_up;
    bool unsure = false;  ///< the directory cannot say now
  };
  CrashDoubts doubts_after_crash(const QueuedMessage& message, const LookedUp& looked_up) const;
  void add_doubt(const dumpster::SpoolEntry& entry, dumpster::StorageGroup group, std::string mailbox,
                 CrashDoubts& doubts) const;
  void recover_next();
  void recover(const Message& message, const LookedUp& looked_up);
  void record_doubts(const Message& message, dumpster::AttemptOutcome outcome);
  void recovered(const Message& message);
  void all_recovered();
  void reload_next();
  std::optional<std::uint64_t> recordings_of(const dumpster::Uuid& key) const;
  void reloaded(dumpster::Uuid key, dumpster::Result<std::optional<dumpster::SpooledMessage>> result);

  // --- dispatcher_store.cpp: after a failed write
  void keep_unrecorded(const Message& message, std::shared_ptr<const dumpster::AttemptOutcome> outcome,
                       const std::optional<Destination>& in_flight_of, Request request);
  bool has_unrecorded(const std::string& cluster) const;
  void look_after_store();
  void record_again();
  void read_spool_again(std::optional<dumpster::Uuid> after);
  void read_cluster_again(const std::string& name);

  // --- dispatcher_activation.cpp: the barrier
  void raise_barrier(const std::string& cluster);
  void pass_barrier(const std::string& cluster);
  void activated(const std::string& cluster, dumpster::Result<dumpster::ActivationResult> result);
  void drained_when_idle();

  IoThreads& threads_;
  boost::asio::io_context& context_;
  dumpster::Store& store_;
  DirectoryProvider directory_;
  metrics::HubMetrics& metrics_;
  const dumpster::Clock& clock_;
  DispatcherSettings settings_;
  dumpster::Instant started_{};

  std::map<dumpster::Uuid, Message> messages_;  ///< by key, which is by age
  std::uint32_t share_ = 1;                     ///< connections that each destination may have at the moment
  std::map<Destination, Connections> connections_;
  std::map<std::shared_ptr<Worker>, Destination> destination_of_;
  std::map<std::string, ClusterAtWork> clusters_;
  std::multimap<dumpster::Instant, dumpster::Uuid> timers_;
  std::deque<dumpster::Uuid> to_reload_;
  std::set<dumpster::Uuid> reloading_;
  std::deque<Message> to_recover_;
  std::map<std::string, dumpster::ClusterState> at_start_;  ///< as the run before has left them
  std::uint32_t recovering_ = 0;
  std::function<void(std::string)> started_callback_;
  bool loaded_ = false;
  bool unclean_ = false;
  std::deque<std::shared_ptr<Question>> to_look_up_;
  std::size_t looking_up_ = 0;
  std::uint32_t looks_at_routes_ = 0;  ///< how often the jobs of any destination have begun to be compared
  std::size_t asking_for_routes_ = 0;
  std::set<Message> moved_;  ///< by what the directory has answered: taken out of their jobs at the next tick
  std::function<void()> drained_;
  bool slowing_down_ = false;
  dumpster::Uuid delays_told_until_;  ///< messages up to this one have been looked at
  notification::PostmasterReport postmaster_report_;
  std::uint32_t recordings_ = 0;
  std::vector<Unrecorded> unrecorded_;
  bool reading_spool_again_ = false;
  std::uint64_t store_reopened_ = 0;  ///< as often as the spool has been read again for it
  std::uint64_t ticks_ = 0;
  boost::asio::steady_timer ticker_;
  std::mt19937_64 random_;
};

}  // namespace relay
