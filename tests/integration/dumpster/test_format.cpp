#include <cstdlib>
#include <fstream>
#include <map>

#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
namespace fs = std::filesystem;

// Stores as earlier versions wrote them lie in `stores/format-N`. The one of today's version is made by
//
//   EXAMPLE_STORE=tests/integration/dumpster/stores/format-N build/release/bin/integration_dumpster
//   '[example]'

namespace {

class FormatFixture : public StoreFixture {
 public:
  Message accept_named(const std::string& name, std::vector<std::string> recipients, std::size_t size) {
    auto made = new_message(std::move(recipients), size);
    made.message.message_id = name;
    const auto message = made.message;
    for (std::uint32_t i = 0; message.chunks > 1 && i < message.chunks; ++i)
      append(message, i);
    wait_value<Done>([&](auto done) { store().accept(std::move(made), std::move(done)); });
    return message;
  }

  void append(const Message& message, std::uint32_t chunk) {
    auto bytes = body_of(message).substr(chunk * body_chunk_size, body_chunk_size);
    wait_value<Done>(
        [&](auto done) { store().append_body(message.key, chunk, std::move(bytes), std::move(done)); });
  }

  ResubmissionItem item(const Message& message) {
    ResubmissionItem made;
    made.delivery_id = delivery_id_of(message.key, "ccr1", "sg1");
    return made;
  }

  void fill();
  void fill_with_what_format_2_brought();
  Instant replicated_through() {
    return wait_value<Instant>([&](auto done) {
      store().report_replicated({sg2, "node2", Instant{}}, std::move(done));
    });
  }

  /// The store as a crash of the machine would leave it now, without what a store does not need.
  void copy_to(const fs::path& folder) {
    fs::create_directories(folder.parent_path());
    fs::copy(path(), folder, fs::copy_options::recursive);
    for (const auto& entry : fs::directory_iterator{folder / "db"}) {
      const auto name = entry.path().filename().string();
      if (name == "LOCK" || name == "IDENTITY" || name.starts_with("OPTIONS")) fs::remove(entry.path());
    }
  }

  void open_copy_of(const fs::path& folder) {
    shut();
    fs::remove_all(path());
    fs::copy(folder, path(), fs::copy_options::recursive);
    reopen();
  }
};

void FormatFixture::fill() {
  using Kind = RecipientOutcome::Kind;
  deliver(accept_named("delivered", {"alice@example.test"}, 100));
  const auto doubtful = accept_named("in doubt", {"alice@example.test"}, 200);
  put_in_doubt(doubtful);
  const auto absent = accept_named("absent", {"alice@example.test"}, 300);
  deliver(absent);
  AbsentReport report;
  report.group = sg1;
  report.node = node;
  report.items = {item(absent)};
  wait_value<Done>([&](auto done) { store().mark_absent(report, std::move(done)); });
  const auto failed = accept_named("failed", {"alice@example.test"}, 400);
  deliver(failed);
  resubmit(items("a refused one", {item(failed)}));
  record(outcome(failed, {0}, Kind::refused, sg1, 2));
  const auto again = accept_named("resubmitting", {"alice@example.test"}, 500);
  deliver(again);
  resubmit(items("a running one", {item(again)}));
  const auto shared = accept_named("two groups", {"alice@example.test", "bob@example.test"}, 150'000);
  record(outcome(shared, {0}, Kind::delivered, sg1));
  record(outcome(shared, {1}, Kind::delivered, sg2));
  reopen();  // all of that is in tables now, what follows is in the log
  record(outcome(accept_named("deferred", {"carol@elsewhere.test"}, 600), {0}, Kind::deferred, std::nullopt));
  accept_named("never tried", {"alice@example.test"}, 700);
  append(new_message({"alice@example.test"}, 150'000).message, 0);  // its end never comes
}

void FormatFixture::fill_with_what_format_2_brought() {
  const auto held = accept_named("held", {"alice@example.test"}, 100);
  wait_value<Done>([&](auto done) { store().hold_recipients(held.key, {0}, true, std::move(done)); });
  auto told = outcome(held, {0}, RecipientOutcome::Kind::delayed, std::nullopt);
  record(told);
  const auto through = lines(sg2).front().delivered_at;
  wait_value<Instant>([&](auto done) {
    store().report_replicated({sg2, "node2", through}, std::move(done));
  });
  const auto waits = accept_named("waits", {"bob@example.test"}, 100);
  deliver(waits, sg2);
  auto request = items("one that waits", {}, sg2);
  request.items->emplace_back().delivery_id = delivery_id_of(waits.key, "ccr1", "sg2");
  accept_resubmission(request);
  wait_value<ClusterState>(
      [&](auto done) { store().hold("ccr1", Instant{24h * 365 * 60}, std::move(done)); });
}

std::map<std::string, DeliveryState> states_of(const std::vector<Delivery>& lines) {
  std::map<std::string, DeliveryState> states;
  for (const auto& line : lines)
    states.emplace(line.message_id, line.state);
  return states;
}

/// One of each version that there has been.
std::vector<fs::path> examples() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator{EXAMPLE_STORES})
    found.push_back(entry.path());
  return found;
}

fs::path example(int format) {
  return fs::path{EXAMPLE_STORES} / ("format-" + std::to_string(format));
}

std::string format_named_in(const fs::path& store) {
  std::ifstream in{store / "FORMAT"};
  std::string line;
  std::getline(in, line);
  std::getline(in, line);
  return line;
}

}  // namespace

TEST_CASE_METHOD(FormatFixture, "the example store of this version is written", "[.][example]") {
  const char* wanted = std::getenv("EXAMPLE_STORE");
  REQUIRE(wanted != nullptr);
  fill();
  fill_with_what_format_2_brought();
  copy_to(wanted);
}

TEST_CASE_METHOD(FormatFixture,
                 "a store that an earlier version has written is opened with all that it holds") {
  open_copy_of(GENERATE(from_range(examples())));
  CHECK(format_named_in(path()) == "format 2");
  using State = DeliveryState;
  CHECK(states_of(lines(sg1)) == std::map<std::string, State>{{"delivered", State::delivered},
                                                              {"in doubt", State::in_doubt},
                                                              {"absent", State::absent},
                                                              {"failed", State::failed},
                                                              {"resubmitting", State::resubmitting},
                                                              {"two groups", State::delivered}});
  CHECK(states_of(lines(sg2)).at("two groups") == State::delivered);
  std::map<std::string, SpooledMessage> spool;
  const auto all = wait_value<std::vector<SpooledMessage>>(
      [&](auto done) { store().scan_spool(std::nullopt, 100, std::move(done)); });
  for (const auto& spooled : all)
    spool.emplace(spooled.message.message_id, spooled);
  REQUIRE(spool.size() >= 4);
  CHECK(spool.at("in doubt").entries.front().in_doubt);
  CHECK_FALSE(spool.at("resubmitting").entries.front().resubmission.is_nil());
  CHECK(spool.at("deferred").entries.front().attempts == 1);
  CHECK(spool.at("never tried").entries.front().attempts == 0);
  const auto shared = lines(sg2).front();
  Message message;
  message.key = shared.message;
  message.size = shared.size;
  for (std::uint32_t chunk = 0; chunk < 3; ++chunk)
    CHECK(body(message.key, chunk).value() ==
          body_of(message).substr(chunk * body_chunk_size, body_chunk_size));
  const auto requests =
      wait_value<std::vector<Resubmission>>([&](auto done) { store().resubmissions(10, std::move(done)); });
  std::map<std::string, Resubmission> by_key;
  for (const auto& request : requests)
    by_key.emplace(request.key, request);
  CHECK(by_key.at("a running one").state == ResubmissionState::running);
  CHECK(by_key.at("a refused one").failed == 1);
  CHECK(group(sg1).messages == 6);
  CHECK(group(sg1).in_doubt == 1);
  CHECK_FALSE(store().identity().clean_shutdown);

  // And it goes on.
  clock().advance(1h);
  deliver(accept());
  CHECK(group(sg1).messages == 7);
  reopen();
}

TEST_CASE_METHOD(FormatFixture, "a store of format 2 is opened with what that has brought") {
  open_copy_of(example(2));
  CHECK(cluster().held_until == Instant{24h * 365 * 60});
  CHECK(replicated_through() == lines(sg2).front().delivered_at);
  HistoryQuery query;
  query.message_id = "held";
  const auto found = wait_value<HistoryFound>([&](auto done) { store().history(query, std::move(done)); });
  REQUIRE(found.messages.size() == 1);
  std::vector<HistoryEvent::Kind> kinds;
  for (const auto& event : found.messages.front().events)
    kinds.push_back(event.kind);
  using Event = HistoryEvent::Kind;
  CHECK(kinds == std::vector{Event::accepted, Event::held, Event::delayed});
  const auto entry = spooled(found.messages.front().message).value().entries.front();
  CHECK(entry.held);
  CHECK(entry.delay_told);
  CHECK(states_of(lines(sg2)).at("waits") == DeliveryState::resubmitting);
  CHECK(release().size() == 1);
  query.message_id = "waits";
  const auto waited = wait_value<HistoryFound>([&](auto done) { store().history(query, std::move(done)); });
  CHECK(spooled(waited.messages.at(0).message).value().entries.front().mailbox ==
        "mailbox-of-bob@example.test");
}

TEST_CASE_METHOD(FormatFixture, "a migration that was interrupted is done by the next start") {
  open_copy_of(example(1));
  const auto state = group(sg1);
  shut();
  // The folder says the new format first; the records are still those of the old one.
  fs::remove_all(path());
  fs::copy(example(1), path(), fs::copy_options::recursive);
  std::ofstream{path() / "FORMAT"} << "transport-dumpster store\nformat 2\ncomplete\n";
  reopen();
  CHECK(group(sg1).messages == state.messages);
  CHECK(format_named_in(path()) == "format 2");
}

TEST_CASE_METHOD(FormatFixture, "a store of an older format is verified as it is") {
  shut();
  fs::remove_all(path());
  fs::copy(example(1), path(), fs::copy_options::recursive);
  verify();
  CHECK(format_named_in(path()) == "format 1");
}
