#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/store.hpp"

namespace recovery {

/// How much there is to do for a cluster at the moment.
struct ClusterLoad {
  std::uint64_t fresh_waiting = 0;        ///< transactions for fresh mail that wait for a connection
  std::uint64_t resubmitted_waiting = 0;  ///< and those of resubmissions
  std::uint64_t loading = 0;              ///< messages that are being read from the store, of all clusters
  std::uint64_t in_flight = 0;            ///< transactions given to a connection and not yet recorded
  bool unreachable = false;               ///< the active node did not answer the last time
  bool held = false;                      ///< nothing is delivered to the cluster for now
  bool accepting = true;                  ///< mail is accepted
};

/// What recovery asks of the relay that runs beside it. The program connects the two: recovery knows no
/// relay, the relay no recovery. Thread-safe; completions come on any thread.
class RunningRelay {
 public:
  virtual ~RunningRelay() = default;

  /// The barrier, then the store's activation, then deliveries to the new node (promise 8): every transaction
  /// with another node of the cluster is broken off and recorded before the activation is answered.
  virtual void activate(dumpster::Activation activation,
                        dumpster::Completion<dumpster::ActivationResult> done) = 0;

  /// What a hold or its end leaves: until when (nothing: not held), and how many transactions with the
  /// cluster are still under way.
  struct Holding {
    std::optional<dumpster::Instant> until;
    std::uint64_t in_flight = 0;
  };
  /// Begins no delivery to the cluster before `duration` is over or it is released; what is under way ends as
  /// it ends. Durable when answered; a second call takes the first one's place. `not_found` for a cluster
  /// that is not configured, `unavailable` when the store cannot write (then nothing has changed).
  virtual void hold(std::string cluster, dumpster::Duration duration, dumpster::Completion<Holding> done) = 0;
  virtual void release(std::string cluster, dumpster::Completion<Holding> done) = 0;

  /// Which spooled recipients an operator means: those that fit everything that is given.
  struct QueueFilter {
    std::optional<dumpster::Uuid> id;  ///< of a message or of a delivery
    std::string message_id;
    std::string recipient;
    std::string sender;  ///< `<>`: the null sender
    std::string destination;
    std::optional<dumpster::Instant> received_before;
    std::optional<bool> held;
  };
  struct QueuedRecipient {
    std::uint32_t index = 0;
    std::string address;
    std::string destination;  ///< empty: none is known at the moment
    std::string state;        ///< waiting, deferred, in_doubt, held, under_way
    bool resubmission = false;
    std::uint32_t attempts = 0;
    dumpster::Instant next_attempt{};
    std::string last_reply;
  };
  struct QueuedMail {
    dumpster::Uuid id;
    std::string message_id;
    std::string sender;
    std::uint64_t size = 0;
    dumpster::Instant received_at{};
    std::vector<QueuedRecipient> recipients;
  };
  struct QueuePage {
    std::vector<QueuedMail> mails;                 ///< oldest first; may be empty before the last page
    std::optional<dumpster::Uuid> continue_after;  ///< nothing after the last page
  };
  virtual void queue(QueueFilter filter, std::optional<dumpster::Uuid> after,
                     dumpster::Completion<QueuePage> done) = 0;

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
  /// Durable when answered, but for `retry`, which needs not be.
  virtual void change_queue(QueueAction action, std::vector<QueueSelection> selected,
                            dumpster::Completion<QueueChanged> done) = 0;

  /// A node's agent was heard just now. While the node is the active one, what falls in doubt after this call
  /// waits for evidence; other nodes' contacts are passed over. Not durable: that is the store's part.
  virtual void agent_heard(std::string cluster, std::string node) = 0;

  /// The spool entries of these messages changed in the store: load them again and go on with them.
  virtual void reload(std::vector<dumpster::Uuid> messages) = 0;

  /// True while mail is accepted: listeners open, store writable, not stopping.
  virtual bool accepting() const = 0;

  /// One line of text or more for the operator's `status`: what is under way, by destination.
  struct Destination {
    std::string route;
    std::uint64_t queued = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t held_in_doubt = 0;
    std::string last_error;
  };
  virtual void load(std::string cluster, std::function<void(ClusterLoad)> done) const = 0;
  virtual void destinations(std::function<void(std::vector<Destination>)> done) const = 0;
};

}  // namespace recovery
