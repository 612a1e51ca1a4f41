#include "damage_fixture.hpp"
#include "metrics/hub_metrics.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using rocks::Family;
using Kind = RecipientOutcome::Kind;
namespace key = dumpster::rocks::key;

namespace {

/// A resubmission of five deliveries: the first two and what was in doubt are in the spool, the others wait.
class ResubmissionOverDamage : public DamageFixture {
 public:
  ResubmissionOverDamage() {
    for (int i = 0; i < 4; ++i) {
      clock().advance(1s);
      delivered_.push_back(accept());
      deliver(delivered_.back());
    }
    clock().advance(1s);
    doubtful_ = accept();
    put_in_doubt(doubtful_);
    id_ = accept_resubmission(window("fill")).resubmission.id;
    release(2);
    REQUIRE(spool_size() == 3);
    for (const auto& line : lines())
      times_[line.message] = line.delivered_at;
  }

  void damage_line(const Message& message) {
    damage(Family::lines, key::line(number_of_sg1, times_.at(message.key)));
  }

  std::vector<Uuid> cancel() {
    return wait_value<std::vector<Uuid>>([&](auto done) { store().cancel(id_, std::move(done)); });
  }

  /// What is listed, by message.
  std::map<Uuid, DeliveryState> states() {
    DeliveryQuery query;
    query.group = sg1;
    query.until = Instant::max();
    const auto page = wait_value<DeliveryPage>([&](auto done) { store().list(query, std::move(done)); });
    std::map<Uuid, DeliveryState> found;
    for (const auto& line : page.deliveries)
      found[line.message] = line.state;
    return found;
  }

  /// Everything but the message is what it was before; nothing of the resubmission is left in the spool.
  void check_all_given_back_but(const Uuid& unreadable) {
    std::map<Uuid, DeliveryState> wanted;
    for (const auto& message : delivered_)
      wanted[message.key] = DeliveryState::delivered;
    wanted[doubtful_.key] = DeliveryState::in_doubt;
    wanted.erase(unreadable);
    auto found = states();
    found.erase(unreadable);
    CHECK(found == wanted);
    for (const auto& message : delivered_) {
      if (message.key != unreadable) CHECK_FALSE(spooled(message.key));
    }
    if (doubtful_.key != unreadable) {
      const auto entry = spooled(doubtful_.key).value().entries.front();
      CHECK(entry.in_doubt);
      CHECK(entry.resubmission.is_nil());
    }
  }

  /// By an activation or a cancellation.
  void end(bool by_activation) {
    reopen();
    if (by_activation) {
      CHECK(activate("node2", 1).applied);
      CHECK(cluster().active == "node2");
    } else {
      CHECK_FALSE(cancel().empty());
    }
    settle_resubmissions();
  }

 protected:
  std::vector<Message> delivered_;
  Message doubtful_;
  Uuid id_;
  std::map<Uuid, Instant> times_;
};

}  // namespace

TEST_CASE_METHOD(ResubmissionOverDamage,
                 "an activation or a cancellation goes around a damaged line of a resubmission") {
  const bool by_activation = GENERATE(true, false);
  SECTION("that is in the spool") {
    damage_line(delivered_.at(0));
    end(by_activation);
    check_all_given_back_but(delivered_.at(0).key);
    CHECK_FALSE(spooled(delivered_.at(0).key));
  }
  SECTION("that waits") {
    damage_line(delivered_.at(3));
    end(by_activation);
    check_all_given_back_but(delivered_.at(3).key);
  }
  SECTION("that is in doubt") {
    damage_line(doubtful_);
    end(by_activation);
    check_all_given_back_but(doubtful_.key);
    // It is in doubt still, though nobody can list it, and ends as any other.
    CHECK(spooled(doubtful_.key).value().entries.front().in_doubt);
    node = cluster().active;
    term = cluster().term;
    deliver(doubtful_, sg1, 2);
    CHECK_FALSE(spooled(doubtful_.key));
  }
  CHECK(resubmission(id_).state == ResubmissionState::cancelled);
}

TEST_CASE_METHOD(ResubmissionOverDamage, "a spool entry that cannot be read keeps no resubmission going") {
  const bool by_activation = GENERATE(true, false);
  damage(Family::spool, key::message(delivered_.at(1).key));
  end(by_activation);
  CHECK(states().at(delivered_.at(1).key) == DeliveryState::delivered);
  check_all_given_back_but(delivered_.at(1).key);
}

TEST_CASE_METHOD(ResubmissionOverDamage, "an activation ends a resubmission whose records cannot be read") {
  SECTION("its own") {
    damage(Family::resubmissions, key::resubmission(id_));
    reopen();
    CHECK(activate("node2", 1).touched.size() == 3);
    settle_resubmissions();
    const auto left = spooled(doubtful_.key).value().entries.front();
    CHECK(left.in_doubt);
    CHECK(left.resubmission.is_nil());
    CHECK_FALSE(spooled(delivered_.at(0).key));
    CHECK_FALSE(spooled(delivered_.at(1).key));
    // What waits for it waits until a repair.
    CHECK(states().at(delivered_.at(3).key) == DeliveryState::resubmitting);
  }
  SECTION("its plan") {
    damage(Family::resubmissions, key::plan(id_));
    end(true);
    check_all_given_back_but({});
    CHECK(resubmission(id_).state == ResubmissionState::cancelled);
  }
}

TEST_CASE_METHOD(ResubmissionOverDamage,
                 "a resubmission goes on around a damaged line, which counts as failed in the end") {
  metrics::HubMetrics counted;
  metrics = &counted;
  damage_line(delivered_.at(2));
  reopen();
  release();
  for (const auto& message : {delivered_.at(0), delivered_.at(1), delivered_.at(3), doubtful_})
    deliver(message, sg1, 2);
  const auto ended = resubmission(id_);
  CHECK(ended.state == ResubmissionState::completed);
  CHECK(ended.delivered == 4);
  CHECK(ended.failed == 1);
  store().show_gauges();
  CHECK(counted.exposition().find("\ndumpster_store_damaged_places 1\n") != std::string::npos);
  shut();
  metrics = nullptr;
}
