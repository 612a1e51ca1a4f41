#pragma once

#include <atomic>

#include "recovery/running_relay.hpp"
#include "relay/delivery/dispatcher.hpp"
#include "relay/server/load_gate.hpp"

namespace relay {

/// The running relay as recovery sees it.
class RelayForRecovery : public recovery::RunningRelay {
 public:
  RelayForRecovery(Dispatcher& dispatcher, dumpster::Store& store, const LoadGate& load_gate)
      : dispatcher_(dispatcher), store_(store), load_gate_(load_gate) {}

  void activate(dumpster::Activation activation,
                dumpster::Completion<dumpster::ActivationResult> done) override {
    dispatcher_.activate(std::move(activation), std::move(done));
  }
  void hold(std::string cluster, dumpster::Duration duration, dumpster::Completion<Holding> done) override;
  void release(std::string cluster, dumpster::Completion<Holding> done) override;
  void queue(QueueFilter filter, std::optional<dumpster::Uuid> after,
             dumpster::Completion<QueuePage> done) override;
  void change_queue(QueueAction action, std::vector<QueueSelection> selected,
                    dumpster::Completion<QueueChanged> done) override;
  void agent_heard(std::string cluster, std::string node) override {
    dispatcher_.agent_heard(std::move(cluster), std::move(node));
  }
  void reload(std::vector<dumpster::Uuid> messages) override { dispatcher_.reload(std::move(messages)); }
  bool accepting() const override { return listening_.load() && store_.writable() && !load_gate_.closed(); }
  void load(std::string cluster, std::function<void(recovery::ClusterLoad)> done) const override;
  void destinations(std::function<void(std::vector<Destination>)> done) const override;

  /// Listeners are open, or not any more.
  void listening(bool open) { listening_.store(open); }

 private:
  Dispatcher& dispatcher_;
  dumpster::Store& store_;
  const LoadGate& load_gate_;
  std::atomic<bool> listening_{false};
};

}  // namespace relay
