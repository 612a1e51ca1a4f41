#include "relay/queue/plan.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <set>

using namespace std::chrono_literals;
using dumpster::Instant;
using dumpster::StorageGroup;
using relay::LookupFault;
using relay::NextHop;
using relay::Resolved;

namespace {

const Instant now{100'000s};

class FakeDirectory : public relay::Directory {
 public:
  std::optional<relay::Lookup> find(std::string_view address) const override {
    if (slow.contains(std::string{address})) return std::nullopt;
    const auto found = known.find(std::string{address});
    if (found == known.end()) return missing;
    return std::vector<Resolved>{found->second};
  }
  void ask(std::string, std::function<void(relay::Lookup)>) const override { FAIL("a plan asks nobody"); }
  void mailbox(const std::string& address, const StorageGroup& group) {
    known[address] = {address, address, "", group};
  }
  std::map<std::string, Resolved> known;
  std::set<std::string> slow;  ///< not at hand
  LookupFault missing = LookupFault::unknown;
};

std::shared_ptr<relay::QueuedMessage> message_to(const std::vector<std::string>& addresses) {
  auto message = std::make_shared<relay::QueuedMessage>();
  for (const auto& address : addresses) {
    dumpster::SpoolEntry entry;
    entry.index = static_cast<std::uint32_t>(message->spooled.entries.size());
    message->spooled.entries.push_back(entry);
    dumpster::Recipient recipient;
    recipient.address = address;
    message->spooled.message.envelope.recipients.push_back(recipient);
  }
  return message;
}

relay::PlanConditions conditions() {
  relay::PlanConditions made;
  made.now = now;
  made.hold = [](const std::string&) {
    relay::HoldConditions hold;
    hold.has_agent = true;
    hold.in_doubt_wait = 60s;
    return hold;
  };
  return made;
}

const StorageGroup sg1{"ccr1", "sg1"};
const StorageGroup sg2{"ccr1", "sg2"};

}  // namespace

TEST_CASE("recipients of one storage group go in one job, those of another in another") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  directory.mailbox("b@x", sg2);
  directory.mailbox("c@x", sg1);
  const auto plan = relay::plan_jobs(message_to({"a@x", "b@x", "c@x"}), directory, conditions());
  REQUIRE(plan.jobs.size() == 2);
  CHECK(plan.jobs[0].route->group == sg1);
  CHECK(plan.jobs[0].recipients.size() == 2);
  CHECK(plan.jobs[0].recipients[1].mailbox == "c@x");
  CHECK(plan.jobs[1].route->group == sg2);
  CHECK_FALSE(plan.again_at);
}

TEST_CASE("the route is resolved again at each attempt") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  const auto message = message_to({"a@x"});
  CHECK(relay::plan_jobs(message, directory, conditions()).jobs.at(0).route->group == sg1);
  directory.mailbox("a@x", sg2);
  CHECK(relay::plan_jobs(message, directory, conditions()).jobs.at(0).route->group == sg2);
}

TEST_CASE("what belongs to a line of the dumpster keeps its storage group whatever the directory says") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg2);
  const auto message = message_to({"a@x"});
  auto& entry = message->spooled.entries.front();
  entry.group = sg1;
  entry.mailbox = "a";
  entry.resubmission = dumpster::new_uuid(now);
  const auto plan = relay::plan_jobs(message, directory, conditions());
  REQUIRE(plan.jobs.size() == 1);
  CHECK(plan.jobs[0].route->group == sg1);
  CHECK(plan.jobs[0].resubmission);
  CHECK(plan.jobs[0].recipients[0].mailbox == "a");
}

TEST_CASE("a job that waits is led elsewhere by another route or mailbox, and by no answer that has none") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  const auto message = message_to({"a@x"});
  const auto job = relay::plan_jobs(message, directory, conditions()).jobs.at(0);
  const auto moved = [&](const relay::Lookup& answer) {
    return relay::leads_elsewhere(job, job.recipients.at(0), answer);
  };
  const auto to = [](auto route, std::string mailbox) {
    return std::vector<Resolved>{{"a@x", std::move(mailbox), "", std::move(route)}};
  };
  CHECK_FALSE(moved(to(sg1, "a@x")));
  CHECK(moved(to(sg2, "a@x")));
  CHECK(moved(to(sg1, "other")));
  CHECK(moved(to(*relay::next_hop_from("smtp://192.0.2.1:25"), "a@x")));
  CHECK_FALSE(moved(LookupFault::unknown));
  CHECK_FALSE(moved(LookupFault::unavailable));
  message->spooled.entries.front().group = sg1;  // a line of the dumpster
  CHECK_FALSE(moved(to(sg2, "a@x")));
}

TEST_CASE("a recipient that the directory no longer knows has no way any more") {
  const auto plan = relay::plan_jobs(message_to({"gone@x"}), FakeDirectory{}, conditions());
  CHECK(plan.jobs.empty());
  REQUIRE(plan.unroutable.size() == 1);
  CHECK(plan.unroutable[0].reply == "550 5.1.1 no such mailbox here");
}

TEST_CASE("mail to the rest of the world goes to the smarthost") {
  auto with_smarthost = conditions();
  with_smarthost.smarthost = *relay::next_hop_from("smtp://192.0.2.1:25");
  const auto plan = relay::plan_jobs(message_to({"a@elsewhere"}), FakeDirectory{}, with_smarthost);
  REQUIRE(plan.jobs.size() == 1);
  CHECK(plan.jobs[0].route->smarthost);
  CHECK_FALSE(plan.jobs[0].route->group);
  CHECK(plan.jobs[0].route->name() == "smarthost");
}

TEST_CASE("a recipient whose route is not at hand is looked up, and planned with the answer") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  directory.slow = {"b@x"};
  const auto message = message_to({"a@x", "b@x"});
  auto given = conditions();
  const auto first = relay::plan_jobs(message, directory, given);
  REQUIRE(first.jobs.size() == 1);
  CHECK(first.jobs.at(0).recipients.size() == 1);
  REQUIRE(first.to_look_up.size() == 1);
  CHECK(first.to_look_up.at(0).index == 1);
  CHECK(first.to_look_up.at(0).address == "b@x");
  CHECK(first.unroutable.empty());
  message->busy.insert(0);
  given.looked_up["b@x"] = std::vector<Resolved>{{"b@x", "b@x", "", sg2}};
  const auto second = relay::plan_jobs(message, directory, given);
  CHECK(second.to_look_up.empty());
  CHECK(second.jobs.at(0).route->group == sg2);
}

TEST_CASE("an answer that says that the directory cannot say now delays the recipient, too") {
  FakeDirectory directory;
  directory.slow = {"a@x"};
  auto given = conditions();
  given.looked_up["a@x"] = LookupFault::unavailable;
  const auto plan = relay::plan_jobs(message_to({"a@x"}), directory, given);
  CHECK(plan.unroutable.empty());
  CHECK(plan.to_look_up.empty());
  CHECK(plan.again_at == now + given.retry_min);
}

TEST_CASE("nobody is looked up before his next attempt is due") {
  FakeDirectory directory;
  directory.slow = {"a@x"};
  const auto message = message_to({"a@x"});
  message->spooled.entries.at(0).next_attempt = now + 60s;
  const auto plan = relay::plan_jobs(message, directory, conditions());
  CHECK(plan.to_look_up.empty());
  CHECK(plan.again_at == now + 60s);
}

TEST_CASE("a directory that cannot say now delays mail and refuses none") {
  FakeDirectory directory;
  directory.missing = LookupFault::unavailable;
  const auto plan = relay::plan_jobs(message_to({"a@x"}), directory, conditions());
  CHECK(plan.jobs.empty());
  CHECK(plan.unroutable.empty());
  CHECK(plan.again_at == now + 5s);
}

TEST_CASE("recipients wait for their next attempt, and the plan says until when") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  directory.mailbox("b@x", sg1);
  const auto message = message_to({"a@x", "b@x"});
  message->spooled.entries[0].next_attempt = now + 7s;
  message->spooled.entries[1].next_attempt = now + 3s;
  const auto plan = relay::plan_jobs(message, directory, conditions());
  CHECK(plan.jobs.empty());
  CHECK(plan.again_at == now + 3s);
}

TEST_CASE("an activation ends the back-off against the old node, but not a hold") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  directory.mailbox("b@x", sg1);
  const auto message = message_to({"a@x", "b@x"});
  message->spooled.entries[0].next_attempt = now + 1h;
  auto& doubtful = message->spooled.entries[1];
  doubtful.in_doubt = true;
  doubtful.in_doubt_since = now;
  doubtful.group = sg1;
  auto expedited = conditions();
  expedited.expedited_cluster = "ccr1";
  const auto plan = relay::plan_jobs(message, directory, expedited);
  REQUIRE(plan.jobs.size() == 1);
  CHECK(plan.jobs[0].recipients.size() == 1);
  CHECK(plan.jobs[0].recipients[0].index == 0);
  CHECK(plan.again_at == now + 60s);
}

TEST_CASE("a recipient that is in a job already gets no second one") {
  FakeDirectory directory;
  directory.mailbox("a@x", sg1);
  const auto message = message_to({"a@x"});
  message->busy.insert(0);
  CHECK(relay::plan_jobs(message, directory, conditions()).jobs.empty());
}

TEST_CASE("a message with very many recipients is split into several jobs") {
  FakeDirectory directory;
  std::vector<std::string> addresses;
  for (int i = 0; i < 25; ++i) {
    addresses.push_back("u" + std::to_string(i) + "@x");
    directory.mailbox(addresses.back(), sg1);
  }
  auto small = conditions();
  small.max_recipients_per_job = 10;
  const auto plan = relay::plan_jobs(message_to(addresses), directory, small);
  REQUIRE(plan.jobs.size() == 3);
  CHECK(plan.jobs[2].recipients.size() == 5);
}

TEST_CASE("what comes from a backup waits on every route, and what has come since goes") {
  FakeDirectory directory;
  directory.known["b@y"] = {"b@y", "b@y", "", NextHop{}};
  const auto restored = message_to({"b@y"});
  restored->spooled.entries.front().from_backup = true;
  auto given = conditions();
  given.from_backup_until = now + 60s;
  auto plan = relay::plan_jobs(restored, directory, given);
  CHECK(plan.jobs.empty());
  CHECK(plan.again_at == now + 60s);
  CHECK(relay::plan_jobs(message_to({"b@y"}), directory, given).jobs.size() == 1);
  given.now = now + 60s;
  CHECK(relay::plan_jobs(restored, directory, given).jobs.size() == 1);
}
