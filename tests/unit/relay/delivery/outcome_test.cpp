#include "relay/delivery/outcome.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using dumpster::AttemptTarget;
using relay::smtp::ClientRecipientResult;
using Kind = dumpster::RecipientOutcome::Kind;
using ResultKind = ClientRecipientResult::Kind;

namespace {

const dumpster::Instant now{1'000'000s};
const AttemptTarget target{{"ccr1", "sg1"}, "node1", 7};

relay::Job job_for(std::size_t recipients) {
  relay::Job job;
  job.message = std::make_shared<relay::QueuedMessage>();
  job.message->spooled.message.received_at = now;
  for (std::uint32_t index = 0; index < recipients; ++index) {
    dumpster::SpoolEntry entry;
    entry.index = index;
    job.message->spooled.entries.push_back(entry);
    job.recipients.push_back({index, "box" + std::to_string(index)});
  }
  return job;
}

ClientRecipientResult result(ResultKind kind, int code) {
  return {kind, {code, "", "words"}};
}

relay::OutcomeConditions conditions(dumpster::Instant instant = now) {
  relay::OutcomeConditions made;
  made.now = instant;
  made.queue_lifetime = 24h;
  return made;
}

}  // namespace

TEST_CASE("each recipient gets its own outcome, in order, with the next hop's words") {
  const auto outcome = outcome_of(job_for(3), 2, target,
                                  {result(ResultKind::delivered, 250), result(ResultKind::refused, 552),
                                   result(ResultKind::deferred, 451)},
                                  conditions());
  REQUIRE(outcome.recipients.size() == 3);
  CHECK(outcome.attempt == 2);
  CHECK(outcome.target->node == "node1");
  CHECK(outcome.recipients[0].kind == Kind::delivered);
  CHECK(outcome.recipients[0].mailbox == "box0");
  CHECK(outcome.recipients[1].kind == Kind::refused);
  CHECK(outcome.recipients[1].reply == "552 words");
  CHECK(outcome.recipients[2].kind == Kind::deferred);
  CHECK(outcome.recipients[2].next_attempt == now + 5s);
}

TEST_CASE("an unknown outcome is in doubt at a storage group and a retry elsewhere") {
  const std::vector<ClientRecipientResult> unknown{result(ResultKind::unknown, 451)};
  CHECK(outcome_of(job_for(1), 1, target, unknown, conditions()).recipients[0].kind == Kind::in_doubt);
  CHECK(outcome_of(job_for(1), 1, std::nullopt, unknown, conditions()).recipients[0].kind == Kind::deferred);
}

TEST_CASE("mail that was not taken within the queue lifetime is refused") {
  const std::vector<ClientRecipientResult> deferred{result(ResultKind::deferred, 451)};
  CHECK(outcome_of(job_for(1), 1, target, deferred, conditions(now + 24h - 1s)).recipients[0].kind ==
        Kind::deferred);
  CHECK(outcome_of(job_for(1), 1, target, deferred, conditions(now + 24h)).recipients[0].kind ==
        Kind::refused);
}

TEST_CASE("nothing is given up while its cluster is held") {
  auto held = conditions(now + 24h);
  held.held = true;
  const std::vector<ClientRecipientResult> deferred{result(ResultKind::deferred, 451)};
  CHECK(outcome_of(job_for(1), 1, target, deferred, held).recipients[0].kind == Kind::deferred);
}

TEST_CASE("what is in doubt does not become too old by it: the message may have arrived") {
  const std::vector<ClientRecipientResult> unknown{result(ResultKind::unknown, 451)};
  CHECK(outcome_of(job_for(1), 1, target, unknown, conditions(now + 48h)).recipients[0].kind ==
        Kind::in_doubt);
}

TEST_CASE("a resubmission lasts as long as its own lifetime says, however old the message is") {
  auto job = job_for(1);
  auto& entry = job.message->spooled.entries[0];
  entry.resubmission = dumpster::new_uuid(now);
  entry.resubmit_until = now + 72h;
  const std::vector<ClientRecipientResult> deferred{result(ResultKind::deferred, 451)};
  CHECK(outcome_of(job, 1, target, deferred, conditions(now + 71h)).recipients[0].kind == Kind::deferred);
  CHECK(outcome_of(job, 1, target, deferred, conditions(now + 72h)).recipients[0].kind == Kind::refused);
}

TEST_CASE("a recipient that was settled meanwhile has no outcome") {
  auto job = job_for(2);
  job.message->spooled.entries.erase(job.message->spooled.entries.begin());
  const auto outcome = outcome_of(
      job, 1, target, {result(ResultKind::delivered, 250), result(ResultKind::delivered, 250)}, conditions());
  REQUIRE(outcome.recipients.size() == 1);
  CHECK(outcome.recipients[0].index == 1);
}

TEST_CASE("recipients that were too many for a transaction are due at once when others were delivered") {
  const auto with = [](int code, std::string enhanced) {
    return ClientRecipientResult{ResultKind::deferred, {code, std::move(enhanced), "words"}};
  };
  const auto fine = result(ResultKind::delivered, 250);
  const auto due = [&](const std::vector<ClientRecipientResult>& results, std::size_t place,
                       dumpster::Instant instant = now) {
    const auto ended = outcome_of(job_for(results.size()), 1, target, results, conditions(instant));
    CHECK(ended.recipients[place].kind == Kind::deferred);
    return ended.recipients[place].next_attempt;
  };
  CHECK(due({fine, with(452, ""), with(452, "4.5.3")}, 1) == now);
  CHECK(due({fine, with(452, ""), with(452, "4.5.3")}, 2) == now);
  CHECK(due({fine, with(452, "4.2.2")}, 1) == now + 5s);
  CHECK(due({fine, with(451, "")}, 1) == now + 5s);
  // With nobody delivered the next transaction would be the same one again.
  CHECK(due({with(452, "4.5.3"), with(452, "4.5.3")}, 0) == now + 5s);
  // There was no attempt of theirs that would make them too old.
  CHECK(due({fine, with(452, "4.5.3")}, 1, now + 48h) == now + 48h);
}

TEST_CASE("a reply survives its text form") {
  for (const relay::smtp::Reply& reply :
       {relay::smtp::Reply{550, "5.1.1", "no such\nmailbox"}, {451, "", "later"}, {250, "2.0.0", ""}}) {
    const auto back = relay::reply_from(relay::reply_text(reply));
    CHECK(back.code == reply.code);
    CHECK(back.enhanced == reply.enhanced);
    CHECK(back.text == reply.text);
  }
  CHECK(relay::reply_from("garbage").code == 554);
}

TEST_CASE("a failure is the destination's own when its connection broke or its system takes no mail") {
  using Result = relay::smtp::ClientRecipientResult;
  const Result fine{Result::Kind::delivered, {250, "2.1.5", "ok"}};
  const Result full{Result::Kind::deferred, {452, "4.2.2", "mailbox full"}};
  const Result disk{Result::Kind::deferred, {452, "4.3.1", "no room"}};
  const Result shut{Result::Kind::deferred, {421, "", "going down"}};
  const Result lost{Result::Kind::unknown, {451, "4.4.2", "connection lost"}};
  const Result refused{Result::Kind::refused, {550, "5.1.1", "no such user"}};
  CHECK_FALSE(relay::fault_of_destination({}, true));
  CHECK_FALSE(relay::fault_of_destination({fine}, true));
  CHECK_FALSE(relay::fault_of_destination({full}, true));
  CHECK_FALSE(relay::fault_of_destination({refused}, true));
  CHECK_FALSE(relay::fault_of_destination({disk, fine}, true));
  CHECK(relay::fault_of_destination({disk, disk}, true) == "452 4.3.1 no room");
  CHECK(relay::fault_of_destination({shut}, false) == "421 going down");
  CHECK(relay::fault_of_destination({fine, lost}, false) == "451 4.4.2 connection lost");
}
