// Works in a store from several threads and names on standard output what was acknowledged, one line each:
//   accepted KEY SIZE      in the spool
//   delivered KEY          of the dumpster
//   gone KEY               settled without the dumpster
// Its last argument is the size limit of the dumpster in bytes. It goes on until it is killed. Used by
// test_crash.cpp.

#include <unistd.h>

#include <atomic>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crash_body.hpp"
#include "dumpster/rocksdb_store.hpp"

namespace {

using namespace dumpster;

const StorageGroup group{"ccr1", "sg1"};

/// One write a line, so that a kill never leaves half a line behind a whole one.
void say(const std::string& what, const Uuid& key) {
  const auto line = what + ' ' + to_string(key) + '\n';
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(1);
}

template <class T, class Start>
bool done(Start start) {
  std::promise<bool> promise;
  start([&promise](const Result<T>& result) { promise.set_value(result.has_value()); });
  return promise.get_future().get();
}

class Worker {
 public:
  Worker(Store& store, unsigned seed) : store_(store), random_(seed) {}

  void run() {
    while (true) {
      const auto message = accept();
      const auto choice = random_() % 10;
      if (choice < 6) {
        settle(message, RecipientOutcome::Kind::delivered, group, "delivered");
      } else if (choice < 7) {
        settle(message, RecipientOutcome::Kind::delivered, std::nullopt, "gone");
      } else if (choice < 8) {
        doubt(message);
      }
      if (random_() % 20 == 0) store_.retain();
    }
  }

 private:
  Message accept() {
    NewMessage made;
    auto& message = made.message;
    message.key = new_uuid(system_clock().now());
    message.received_at = system_clock().now();
    message.size = random_() % 4 == 0 ? 100'000 + random_() % 200'000 : random_() % 20'000;
    message.chunks = static_cast<std::uint32_t>((message.size + body_chunk_size - 1) / body_chunk_size);
    message.envelope.recipients.resize(1);
    message.envelope.recipients.front().address = "alice@example.test";
    const auto body = testing::crash_body(message.key, message.size);
    if (message.chunks <= 1) {
      made.body = body;
    } else {
      for (std::uint32_t i = 0; i < message.chunks; ++i) {
        store_.append_body(message.key, i, body.substr(i * body_chunk_size, body_chunk_size),
                           [](const Result<Done>&) {});
      }
    }
    if (!done<Done>([&](auto when_done) { store_.accept(made, std::move(when_done)); })) ::_exit(2);
    say("accepted", message.key);
    return message;
  }

  bool record(const Message& message, RecipientOutcome::Kind kind, const std::optional<StorageGroup>& to,
              std::uint32_t attempt) {
    AttemptOutcome outcome;
    outcome.message = message.key;
    outcome.attempt = attempt;
    if (to) outcome.target = AttemptTarget{*to, "node1", 0};
    outcome.recipients.resize(1);
    outcome.recipients.front().kind = kind;
    outcome.recipients.front().mailbox = "alice";
    return done<AttemptRecorded>([&](auto when_done) { store_.record(outcome, std::move(when_done)); });
  }

  void settle(const Message& message, RecipientOutcome::Kind kind, const std::optional<StorageGroup>& to,
              const std::string& word) {
    say("begun-" + word, message.key);
    if (!record(message, kind, to, 1)) ::_exit(2);
    say(word, message.key);
  }

  /// In doubt, then resubmitted by a window, then perhaps delivered.
  void doubt(const Message& message) {
    if (!record(message, RecipientOutcome::Kind::in_doubt, group, 1)) ::_exit(2);
    ResubmissionRequest request;
    request.key = to_string(message.key);
    request.group = group;
    ResubmissionItem item;
    item.delivery_id = delivery_id_of(message.key, group.cluster, group.group);
    request.items = std::vector<ResubmissionItem>{item};
    request.lifetime = std::chrono::hours{1};
    if (!done<ResubmissionAccepted>([&](auto when_done) { store_.resubmit(request, std::move(when_done)); }))
      ::_exit(2);
    if (random_() % 2 == 0) settle(message, RecipientOutcome::Kind::delivered, group, "delivered");
  }

  Store& store_;
  std::mt19937 random_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 1;
  ClusterDefinition cluster;
  cluster.name = "ccr1";
  cluster.nodes = {"node1", "node2"};
  cluster.first_active = "node1";
  RetentionLimits limits;
  limits.max_size = std::stoull(arguments[3]);
  cluster.storage_groups = {{"sg1", limits}};
  RocksDbStoreOptions options;
  options.path = arguments[1];
  options.clusters = {cluster};
  auto store = open_rocksdb_store(options);
  if (!store) return 1;
  const auto seed = static_cast<unsigned>(std::stoul(arguments[2]));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&store, seed, i] { Worker{**store, seed + i}.run(); });
  }
  for (auto& thread : threads)
    thread.join();
}
