#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/delivery.hpp"
#include "dumpster/error.hpp"
#include "dumpster/history.hpp"
#include "dumpster/message.hpp"
#include "dumpster/resubmission.hpp"
#include "dumpster/spool.hpp"
#include "dumpster/traffic.hpp"
#include "dumpster/verify.hpp"

namespace dumpster {

struct Done {};

/// Called exactly once, on a thread of the store: it must not block and not throw; the caller carries the
/// result to its own executor (`await.hpp`). May be called before the call that took it returns.
template <class T>
using Completion = std::function<void(Result<T>)>;

/// A message to be made durable. `body` holds its last chunk, which for most is all of it; the chunks before
/// have been given to `append_body`. A body that was given there whole leaves `body` empty.
struct NewMessage {
  Message message;
  std::string body;
  std::string origin;  ///< where it came from, for people: kept in the history alone
};

/// What became of one recipient in one attempt.
struct RecipientOutcome {
  enum class Kind : std::uint8_t {
    delivered,  ///< the next hop took it: leaves the spool; into the dumpster when the attempt was for a
                ///< storage group
    in_doubt,   ///< the outcome is unknown: stays, with a line in doubt (storage groups only)
    deferred,   ///< not taken, to be tried again at `next_attempt`; an older line in doubt remains
    refused,    ///< refused for good or too old: leaves the spool; a resubmission's line becomes `failed`
    deleted,    ///< taken out by an operator
    delayed,    ///< stays as it is; the sender has been told, with the notification of this write
  };
  std::uint32_t index = 0;
  Kind kind = Kind::deferred;
  std::string mailbox;     ///< for delivered and in_doubt
  std::string reply;       ///< the next hop's last words, for people
  Instant next_attempt{};  ///< for deferred and in_doubt
};

/// Where an attempt for a storage group went.
struct AttemptTarget {
  StorageGroup group;
  std::string node;
  std::uint64_t term = 0;
};

/// The end of one transaction for one message. Recipients that are not named stay as they are. Idempotent by
/// (message, attempt, recipient): a recipient that is no longer in the spool is passed over.
struct AttemptOutcome {
  Uuid message;
  std::uint32_t attempt = 0;
  std::optional<AttemptTarget> target;  ///< none: delivered elsewhere, never retained
  std::string where;                    ///< the next hop without a target, for the history alone
  std::vector<RecipientOutcome> recipients;
  std::optional<NewMessage> notification;  ///< a delivery status notification, accepted in the same write
};

struct AttemptRecorded {
  /// The attempt's term is over: what was said to be delivered has been recorded as in doubt.
  bool superseded = false;
  /// What is left of the message, or nothing when every recipient is settled.
  std::optional<SpooledMessage> left;
};

struct Activation {
  std::string cluster;
  std::string node;
  std::uint64_t term = 0;
  ActivationKind kind = ActivationKind::lossy;
  bool by_agent = false;  ///< records the agent's contact in the same write
};

/// The answer to an activation. A conflict is an answer too, not an error: `applied` is false, and `state` is
/// what stands.
struct ActivationResult {
  bool applied = false;  ///< the wanted node is active with the wanted term (also when it had been before)
  ClusterState state;
  Instant now{};
  std::vector<Uuid> touched;  ///< messages whose spool entries changed and have to be loaded again
};

/// A point in the order of all writes: nothing appears later with a time before `now`.
struct Snapshot {
  Instant now{};
};

struct DeliveryQuery {
  StorageGroup group;
  Instant from{};
  Instant until{};  ///< not included
  std::optional<DeliveryState> state;
  std::size_t limit = 1000;  ///< lines looked at for one page at the most
};

struct DeliveryPage {
  std::vector<Delivery> deliveries;  ///< oldest first
  /// Behind the last place of the page where deliveries may be that cannot be read.
  std::optional<Instant> damaged_until;
  std::optional<Instant> continue_from;  ///< `from` of the next page; nothing after the last one
};

/// What an operator takes out of a dumpster: a window, or one delivery.
struct PurgeRequest {
  StorageGroup group;
  Instant from{};
  Instant until{};  ///< not included
  std::optional<Uuid> delivery_id;
  bool dry_run = false;  ///< counts and changes nothing
};

struct Purged {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t kept = 0;                ///< in doubt or being resubmitted: those are settled first
  std::optional<Instant> continue_from;  ///< `from` of the next piece; nothing after the last one
};

/// A passive node's word that everything delivered up to `through` is on it (replication feedback).
struct ReplicationReport {
  StorageGroup group;
  std::string node;
  Instant through{};  ///< included
};

struct BackupMade {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

struct HubIdentity {
  Uuid store_id;
  Instant store_created{};
  std::uint64_t sequence = 0;   ///< counts writes; only grows
  bool clean_shutdown = false;  ///< the run before this one ended with `close`; if not, what was accepted and
                                ///< not yet tried, or marked as being tried, may have been delivered
};

struct SpoolTotals {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::optional<Instant> oldest;
};

/// Spool and dumpster in one durable store.
///
/// Every call is asynchronous and may be made from any thread. A call that changes something is durable
/// (written and synced) before its completion says so, but for `append_body`; calls are applied in the order
/// in which they were made, several in one synced write. After a write or sync has failed its outcome is
/// unknown, and nothing is acknowledged behind it: every change is refused with `unavailable` until the store
/// has closed and opened itself again, which it tries with growing pauses. A message whose `accept` was
/// refused is then not there; other changes that were refused may have been made, and may be called again.
///
/// Rules that let another engine take this place: ids are chosen by the caller, each call is idempotent by
/// its id, bodies are immutable and become visible last.
class Store {
 public:
  virtual ~Store() = default;

  // --- bodies
  // -------------------------------------------------------------------------------------------------
  /// Writes chunk `chunk` (from 0, in order, `body_chunk_size` bytes but the last) of a message that is not
  /// yet accepted. Not durable before `accept`. What is never accepted is removed by `abandon_body` or at the
  /// next start.
  virtual void append_body(Uuid message, std::uint32_t chunk, std::string bytes, Completion<Done> done) = 0;
  virtual void abandon_body(Uuid message) = 0;
  /// One chunk of an accepted message. `not_found` or `damaged`.
  virtual void read_body(Uuid message, std::uint32_t chunk, Completion<std::string> done) = 0;

  // --- spool
  // --------------------------------------------------------------------------------------------------
  /// Message, envelope and body are on stable storage when `done` says so; all recipients are in the spool.
  virtual void accept(NewMessage message, Completion<Done> done) = 0;
  /// A spooled message, or nothing when all its recipients are settled.
  virtual void load(Uuid message, Completion<std::optional<SpooledMessage>> done) = 0;
  /// Spooled messages in the order of their keys, `limit` at the most, behind `after`. What is damaged stays
  /// where it is and is left out.
  virtual void scan_spool(std::optional<Uuid> after, std::size_t limit,
                          Completion<std::vector<SpooledMessage>> done) = 0;
  /// An operator's hold on recipients, or its end; those that are gone are passed over. `not_found` when none
  /// of the message's is in the spool.
  virtual void hold_recipients(Uuid message, std::vector<std::uint32_t> recipients, bool held,
                               Completion<Done> done) = 0;
  /// Marks recipients durably as being tried, before a retry: after a crash they are in doubt.
  virtual void mark_trying(Uuid message, std::vector<std::uint32_t> recipients, Completion<Done> done) = 0;
  /// Records the end of an attempt; a delivery to a storage group moves from the spool into the dumpster in
  /// this one write (promise 3).
  virtual void record(AttemptOutcome outcome, Completion<AttemptRecorded> done) = 0;
  virtual SpoolTotals spool_totals() const = 0;

  // --- clusters
  // -----------------------------------------------------------------------------------------------
  virtual void activate(Activation activation, Completion<ActivationResult> done) = 0;
  /// The agent of the active node reports that its fill is over. `conflict` when node or term is not the
  /// current one.
  virtual void recovered(std::string cluster, std::string node, std::uint64_t term,
                         Completion<Done> done) = 0;
  /// Notes that deliveries to the cluster stop until then, or (nothing) go on. Whoever delivers obeys; the
  /// store only remembers, over a restart and an activation. Gives the state afterwards; `not_found`.
  virtual void hold(std::string cluster, std::optional<Instant> until, Completion<ClusterState> done) = 0;
  /// The active node's agent was heard. Other nodes' contacts are passed over.
  virtual void record_agent_contact(std::string cluster, std::string node) = 0;
  /// `not_found` for a cluster that is not configured.
  virtual void cluster_state(std::string cluster, Completion<ClusterState> done) = 0;
  virtual void storage_group_state(StorageGroup group, Completion<StorageGroupState> done) = 0;

  // --- dumpster
  // -----------------------------------------------------------------------------------------------
  /// Begins a listing: its `now` is the latest instant up to which the listing is complete.
  virtual void snapshot(Completion<Snapshot> done) = 0;
  /// Damaged deliveries are passed over; the page says so.
  virtual void list(DeliveryQuery query, Completion<DeliveryPage> done) = 0;
  /// All lines of one delivery id, oldest first; `not_found` when there is none.
  virtual void find(StorageGroup group, Uuid delivery_id, Completion<std::vector<Delivery>> done) = 0;
  /// What the group was given lately; `not_found`.
  virtual Result<Traffic> traffic(const StorageGroup& group) const = 0;
  /// Removes deliveries, a bounded number at a time. A window moves the coverage behind the latest delivery
  /// that it has removed, a single delivery does not (it is not missed by anyone who asks). `not_found` for
  /// an id.
  virtual void purge(PurgeRequest request, Completion<Purged> done) = 0;
  virtual void mark_absent(AbsentReport report, Completion<Done> done) = 0;
  /// Gives what stands for the node now: its word never goes backwards, and nothing is replicated before it
  /// is delivered. It holds until the next activation: what the new active node lacks, the others lose with
  /// its copy. With `truncate_replicated` deliveries go that all passive nodes have, but for what is in
  /// doubt, being resubmitted or failed. The coverage stays: nobody misses them. `not_found` for a node that
  /// the cluster does not have, `conflict` for the active one.
  virtual void report_replicated(ReplicationReport report, Completion<Instant> done) = 0;

  /// What is remembered of messages, whatever became of them. Reads all of the history: for people, not for
  /// programs that ask often.
  virtual void history(HistoryQuery query, Completion<HistoryFound> done) = 0;

  // --- resubmissions
  // ------------------------------------------------------------------------------------------
  /// Freezes the set and makes it durable, in as many writes as it takes; other changes go on between them.
  /// The same key with the same request gives the first answer again, with another request `conflict`. From
  /// an agent `conflict` also when node or term is not the current one. What is in doubt goes into the spool
  /// at once, the rest waits for `release`. `unavailable` when a request under this key was interrupted by a
  /// restart and is not settled yet.
  virtual void resubmit(ResubmissionRequest request, Completion<ResubmissionAccepted> done) = 0;
  virtual void resubmission(Uuid id, Completion<Resubmission> done) = 0;
  /// The newest `limit` of them, newest first.
  virtual void resubmissions(std::size_t limit, Completion<std::vector<Resubmission>> done) = 0;
  /// Ends it: what has not been delivered yet goes back to the state it had. Gives the messages to load
  /// again.
  virtual void cancel(Uuid id, Completion<std::vector<Uuid>> done) = 0;
  virtual ResubmissionWork resubmission_work(const std::string& cluster) const = 0;
  /// Puts up to `most` deliveries that wait into the spool, oldest first, a share of each running
  /// resubmission of the cluster. Gives the messages to load.
  virtual void release(std::string cluster, std::size_t most, Completion<std::vector<Uuid>> done) = 0;
  /// Makes the running resubmissions of a cluster paused ones, or the other way. A paused one releases
  /// nothing; what is in the spool goes on.
  virtual void pause(std::string cluster, bool paused, Completion<Done> done) = 0;
  /// Goes on, by one bounded write, with what a restart interrupted and with what ended resubmissions left
  /// behind. Gives the messages to load again.
  virtual void settle_resubmissions(Completion<std::vector<Uuid>> done) = 0;

  // --- the store itself
  // ---------------------------------------------------------------------------------------
  virtual HubIdentity identity() const = 0;
  /// Makes `folder` (absolute; not there yet, or empty) a copy of the store as it is at one moment, while
  /// everything else goes on. Opened by a hub it is a new store: other `store_id`, nothing covered from
  /// before, what is in its spool may have been delivered, its resubmissions are cancelled. `conflict` while
  /// another long job is going on or when there is something in the folder; after any error nothing is left
  /// there.
  virtual void backup(std::filesystem::path folder, Completion<BackupMade> done) = 0;
  /// Brings the gauges up to the last write; called before they are read.
  virtual void show_gauges() = 0;
  /// Checks the whole store as it is at one moment, while everything else goes on, at a pace that leaves the
  /// disk to others half of the time. `conflict` while another long job is going on.
  virtual void verify(Completion<Verification> done) = 0;
  /// Other limits for a group, from now on; what is over them goes at once. While retention is off the
  /// coverage is `now`; switched on again it begins then. `not_found`.
  virtual void set_limits(StorageGroup group, RetentionLimits limits, Completion<Done> done) = 0;
  /// Applies size and time limits now; called from time to time, since `max_time` passes without a write.
  virtual void retain() = 0;
  /// False after a failed write: nothing more is acknowledged until the store has opened itself again.
  virtual bool writable() const = 0;
  /// How often that has happened. What was under way then may have been written or not: whoever keeps a
  /// picture of the store in memory reads it again.
  virtual std::uint64_t times_reopened() const = 0;
  /// Waits for what is under way, marks the shutdown as clean and closes. Later calls fail with
  /// `unavailable`.
  virtual void close() = 0;
};

}  // namespace dumpster
