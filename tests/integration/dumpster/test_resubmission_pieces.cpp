#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

namespace {

/// More lines than one write of a request chooses.
constexpr std::size_t many = 1201;

class PiecesFixture : public StoreFixture {
 public:
  std::vector<Message> deliver_many(std::size_t count = many) {
    std::vector<Message> messages;
    std::vector<std::future<Result<AttemptRecorded>>> records;
    for (std::size_t i = 0; i < count; ++i) {
      clock().advance(1ms);
      messages.push_back(accept_later());
      auto promise = std::make_shared<std::promise<Result<AttemptRecorded>>>();
      records.push_back(promise->get_future());
      store().record(outcome(messages.back(), {0}, Kind::delivered),
                     [promise](Result<AttemptRecorded> result) { promise->set_value(std::move(result)); });
    }
    for (auto& record : records)
      REQUIRE(record.get().has_value());
    return messages;
  }

  ResubmissionRequest list_of(const std::string& key, const std::vector<Message>& messages) {
    std::vector<ResubmissionItem> named;
    for (const auto& message : messages) {
      ResubmissionItem item;
      item.delivery_id = delivery_id_of(message.key, "ccr1", "sg1");
      named.push_back(item);
    }
    return items(key, std::move(named));
  }

  std::size_t in_state(DeliveryState state) {
    std::size_t count = 0;
    for (const auto& line : lines())
      count += line.state == state ? 1 : 0;
    return count;
  }

  std::future<Result<ResubmissionAccepted>> ask(ResubmissionRequest request) {
    auto promise = std::make_shared<std::promise<Result<ResubmissionAccepted>>>();
    auto future = promise->get_future();
    store().resubmit(std::move(request), [promise](Result<ResubmissionAccepted> result) {
      promise->set_value(std::move(result));
    });
    return future;
  }

  void cancel(Uuid id) {
    wait_value<std::vector<Uuid>>([&](auto done) { store().cancel(id, std::move(done)); });
  }
  void pause(bool paused) {
    wait_value<Done>([&](auto done) { store().pause("ccr1", paused, std::move(done)); });
  }
  ResubmissionWork work() { return store().resubmission_work("ccr1"); }

 private:
  Message accept_later() {
    auto made = new_message({"alice@example.test"}, 100);
    const auto message = made.message;
    store().accept(std::move(made), [](const Result<Done>&) {});
    return message;
  }
};

}  // namespace

TEST_CASE_METHOD(PiecesFixture,
                 "a large set is frozen when it is answered, and nothing of it is in the spool") {
  const auto messages = deliver_many();
  const bool named = GENERATE(false, true);
  const auto accepted = accept_resubmission(named ? list_of("key", messages) : window("key"));
  CHECK(accepted.resubmission.state == ResubmissionState::running);
  CHECK(accepted.resubmission.matched == many);
  CHECK(accepted.resubmission.resubmitted == 0);
  CHECK(accepted.resubmission.not_found.empty());
  CHECK(accepted.touched.empty());
  CHECK(in_state(DeliveryState::resubmitting) == many);
  CHECK(spool_size() == 0);
  CHECK(work().waiting);

  const auto later = accept();
  deliver(later);
  CHECK(in_state(DeliveryState::delivered) == 1);

  const auto first = release(100);
  REQUIRE(first.size() == 100);
  CHECK(spooled(messages.front().key));
  CHECK_FALSE(spooled(messages[100].key));
  CHECK(resubmission(accepted.resubmission.id).resubmitted == 100);
  CHECK(work().spooled == 100);
  reopen(false);
  CHECK(work().spooled == 100);
  CHECK_FALSE(work().unsettled);
  std::size_t released = 100;
  while (work().waiting)
    released += release(500).size();
  CHECK(released == many);
  CHECK(spool_size() == many);
  for (const auto& message : messages)
    deliver(message, sg1, 2);
  CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::completed);
  CHECK(work().spooled == 0);
}

TEST_CASE_METHOD(PiecesFixture, "a window that a restart interrupts is chosen to its end afterwards") {
  deliver_many();
  auto answer = ask(window("key"));
  shut(false);
  CHECK(answer.get().has_error());
  reopen(false);
  // Delivered since, and not meant.
  deliver(accept());
  const auto repeated = ask(window("key")).get();
  REQUIRE(repeated.has_error());
  CHECK(repeated.error().fault == Fault::unavailable);
  CHECK(release().empty());
  settle_resubmissions();
  const auto accepted = accept_resubmission(window("key"));
  CHECK(accepted.repeated);
  CHECK(accepted.resubmission.matched == many);
  CHECK(in_state(DeliveryState::resubmitting) == many);
  CHECK(release().size() == 1000);
}

TEST_CASE_METHOD(PiecesFixture, "a list that a restart interrupts is given back, and may be sent again") {
  const auto messages = deliver_many();
  auto answer = ask(list_of("key", messages));
  shut(false);
  CHECK(answer.get().has_error());
  reopen(false);
  CHECK(in_state(DeliveryState::delivered) == many);
  const auto too_early = ask(list_of("key", messages)).get();
  REQUIRE(too_early.has_error());
  CHECK(too_early.error().fault == Fault::unavailable);
  settle_resubmissions();
  CHECK(in_state(DeliveryState::delivered) == many);
  const auto accepted = accept_resubmission(list_of("key", messages));
  CHECK_FALSE(accepted.repeated);
  CHECK(accepted.resubmission.matched == many);
}

TEST_CASE_METHOD(PiecesFixture,
                 "what waits goes back when the resubmission ends, and another may have it at once") {
  const auto messages = deliver_many();
  const auto before = lines();
  const auto first = accept_resubmission(window("first"));
  release(10);
  const bool activation = GENERATE(false, true);
  if (activation) {
    CHECK(activate("node2", 1).touched.size() == 10);
    node = "node2";
    term = 1;
  } else {
    cancel(first.resubmission.id);
  }
  CHECK(resubmission(first.resubmission.id).state == ResubmissionState::cancelled);
  CHECK(resubmission(first.resubmission.id).cancelled == many);
  CHECK(spool_size() == 0);
  CHECK(lines() == before);
  CHECK(work().unsettled);

  SECTION("taken over before it was given back") {
    const auto second = accept_resubmission(list_of("second", {messages[5], messages[700]}));
    CHECK(second.resubmission.matched == 2);
    settle_resubmissions();
    CHECK(in_state(DeliveryState::resubmitting) == 2);
    CHECK(release().size() == 2);
  }
  SECTION("given back across a restart") {
    reopen(false);
    CHECK(lines() == before);
    settle_resubmissions();
    CHECK(lines() == before);
    CHECK_FALSE(work().unsettled);
    CHECK(accept_resubmission(window("second")).resubmission.matched == many);
    CHECK(accept_resubmission(window("first")).repeated);
  }
}

TEST_CASE_METHOD(PiecesFixture, "a request that an activation overtakes is refused and leaves nothing") {
  const auto messages = deliver_many();
  auto request = list_of("key", messages);
  request.node = "node1";
  request.term = 0;
  auto answer = ask(request);
  activate("node2", 1);
  const auto result = answer.get();
  if (result) return;  // it was quicker, and has been ended
  CHECK(result.error().fault == Fault::conflict);
  settle_resubmissions();
  CHECK(in_state(DeliveryState::delivered) == many);
  CHECK(wait_value<std::vector<Resubmission>>([&](auto done) {
          store().resubmissions(10, std::move(done));
        }).empty());
}

TEST_CASE_METHOD(PiecesFixture, "a paused resubmission releases nothing until it runs again") {
  deliver_many(3);
  const auto accepted = accept_resubmission(window("key"));
  pause(true);
  CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::paused);
  CHECK(work().paused == 1);
  CHECK(work().running == 0);
  CHECK(release().empty());
  reopen(false);
  CHECK(release().empty());
  CHECK(work().paused == 1);
  pause(false);
  CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::running);
  CHECK(release().size() == 3);
}

TEST_CASE_METHOD(PiecesFixture, "several resubmissions of a cluster are released side by side") {
  const auto messages = deliver_many(40);
  const std::vector<Message> late{messages.begin() + 20, messages.end()};
  const auto second = accept_resubmission(list_of("late", late));
  const auto first = accept_resubmission(window("rest"));
  CHECK(first.resubmission.matched == 20);
  CHECK(release(10).size() == 10);
  CHECK(resubmission(first.resubmission.id).resubmitted == 5);
  CHECK(resubmission(second.resubmission.id).resubmitted == 5);
  CHECK(release(100).size() == 30);
}

TEST_CASE_METHOD(PiecesFixture, "what waits is not evicted, by no limit") {
  const auto messages = deliver_many(5);
  const auto accepted = accept_resubmission(list_of("key", {messages[1]}));
  clock().advance(24h * 30);
  retain();
  const auto left = lines();
  REQUIRE(left.size() == 1);
  CHECK(left.front().delivery_id == delivery_id_of(messages[1].key, "ccr1", "sg1"));
  CHECK(body(messages[1].key).value() == body_of(messages[1]));
  CHECK(release().size() == 1);
}

TEST_CASE_METHOD(PiecesFixture, "a dry run says what would be chosen and changes nothing") {
  const auto messages = deliver_many();
  const auto before = lines();
  auto request = window("key");
  request.dry_run = true;
  const auto accepted = accept_resubmission(request);
  CHECK(accepted.resubmission.matched == many);
  CHECK(accepted.deliveries == many);
  CHECK(accepted.bytes == many * 100);
  CHECK(lines() == before);
  CHECK(wait_value<std::vector<Resubmission>>([&](auto done) {
          store().resubmissions(10, std::move(done));
        }).empty());
  CHECK_FALSE(accept_resubmission(window("key")).repeated);
}

TEST_CASE_METHOD(PiecesFixture, "the same request twice at a time has one answer") {
  deliver_many();
  auto first = ask(window("key"));
  auto second = ask(window("key"));
  const auto one = first.get();
  const auto two = second.get();
  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  CHECK(one->resubmission.id == two->resubmission.id);
  CHECK_FALSE(one->repeated);
  CHECK(two->repeated);
}
