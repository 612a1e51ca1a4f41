#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <iostream>
#include <random>
#include <set>

#include "crash_body.hpp"
#include "dumpster/verify.hpp"
#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;

namespace {

/// A process that works in the store until it is killed.
class Writer {
 public:
  Writer(const std::filesystem::path& store, unsigned seed, std::uint64_t max_size) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const auto seed_text = std::to_string(seed);
    const auto size_text = std::to_string(max_size);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(CRASH_WRITER, CRASH_WRITER, store.c_str(), seed_text.c_str(), size_text.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  ~Writer() {
    kill();
    ::close(from_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Reads what it says until there are `lines` lines.
  void read_lines(std::size_t lines) {
    while (lines_ < lines && read_some(30'000))
      continue;
  }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    killed_ = WIFSIGNALED(status);
    while (read_some(1000))
      continue;
  }

  bool was_killed() const { return killed_; }
  const std::string& said() const { return said_; }

 private:
  bool read_some(int milliseconds) {
    pollfd waiting{from_, POLLIN, 0};
    if (::poll(&waiting, 1, milliseconds) <= 0) return false;
    char bytes[65536];
    const auto read = ::read(from_, bytes, sizeof bytes);
    if (read <= 0) return false;
    for (ssize_t i = 0; i < read; ++i)
      lines_ += bytes[i] == '\n' ? 1 : 0;
    said_.append(bytes, static_cast<std::size_t>(read));
    return true;
  }

  pid_t pid_ = -1;
  int from_ = -1;
  bool killed_ = false;
  std::size_t lines_ = 0;
  std::string said_;
};

/// What has been acknowledged, over all rounds.
struct Acknowledged {
  std::set<Uuid> accepted;
  std::set<Uuid> delivered;
  std::set<Uuid> begun_delivered;
  std::set<Uuid> gone;
  std::set<Uuid> begun_gone;

  void read(const std::string& said) {
    std::istringstream in{said};
    std::string word;
    std::string text;
    while (in >> word >> text) {
      const auto key = uuid_from(text);
      if (!key) continue;
      if (word == "accepted") accepted.insert(*key);
      if (word == "delivered") delivered.insert(*key);
      if (word == "begun-delivered") begun_delivered.insert(*key);
      if (word == "gone") gone.insert(*key);
      if (word == "begun-gone") begun_gone.insert(*key);
    }
  }
};

/// When a UUIDv7 was made, to the millisecond.
Instant time_of(const Uuid& uuid) {
  std::uint64_t milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i)
    milliseconds = (milliseconds << 8U) | uuid.bytes.at(i);
  return Instant{std::chrono::milliseconds{milliseconds}};
}

class CrashFixture : public StoreFixture {
 public:
  void check_body(const Uuid& message, std::uint64_t size) {
    std::string read;
    while (read.size() < size) {
      const auto chunk = body(message, static_cast<std::uint32_t>(read.size() / body_chunk_size));
      REQUIRE(chunk.has_value());
      REQUIRE_FALSE(chunk->empty());
      read += *chunk;
    }
    REQUIRE((read == crash_body(message, size)));
  }

  void check(const Acknowledged& acknowledged) {
    std::map<Uuid, std::uint64_t> in_spool;
    std::map<Uuid, const Delivery*> in_dumpster;
    for (const auto& spooled : all_spooled())
      in_spool[spooled.message.key] = spooled.message.size;
    const auto all = lines();
    for (const auto& line : all)
      in_dumpster[line.message] = &line;
    for (const auto& key : acknowledged.accepted) {
      INFO(to_string(key));
      const bool spooled = in_spool.contains(key);
      const bool retained = in_dumpster.contains(key);
      if (!spooled && !retained && evicted(key, acknowledged)) continue;
      if (acknowledged.delivered.contains(key)) {
        REQUIRE(retained);
        REQUIRE(in_dumpster[key]->state == DeliveryState::delivered);
        REQUIRE_FALSE(spooled);
      } else if (acknowledged.gone.contains(key)) {
        REQUIRE_FALSE(spooled);
        REQUIRE_FALSE(retained);
      } else if (!acknowledged.begun_gone.contains(key)) {
        REQUIRE((spooled || (retained && acknowledged.begun_delivered.contains(key))));
      }
      if (spooled) check_body(key, in_spool[key]);
      if (!spooled && retained) check_body(key, in_dumpster[key]->size);
    }
  }

  /// Kills a writer again and again; after each kill the store is whole, at the end what was acknowledged is
  /// there.
  void kill_again_and_again(std::uint64_t max_size) {
    limits().max_size = max_size;
    const auto seed = std::random_device{}();
    std::cout << "seed " << seed << '\n';
    CAPTURE(seed);
    std::mt19937 random{seed};
    Acknowledged acknowledged;
    for (int round = 0; round < rounds(); ++round) {
      INFO("round " << round);
      shut(round % 2 == 0);
      {
        Writer writer{path(), static_cast<unsigned>(random()), max_size};
        writer.read_lines(1 + random() % 300);
        writer.kill();
        REQUIRE(writer.was_killed());
        acknowledged.read(writer.said());
      }
      verify();
      reopen(false);
      CHECK_FALSE(store().identity().clean_shutdown);
    }
    REQUIRE(acknowledged.accepted.size() > 15);
    REQUIRE_FALSE(acknowledged.delivered.empty());
    check(acknowledged);
    reopen();
    check(acknowledged);
  }

 private:
  static int rounds() {
    const char* given = std::getenv("CRASH_ROUNDS");
    return given == nullptr ? 15 : std::stoi(given);
  }

  /// Delivered, and older than what the dumpster still claims to cover.
  bool evicted(const Uuid& message, const Acknowledged& acknowledged) {
    return acknowledged.begun_delivered.contains(message) && time_of(message) < group().covered_from;
  }

  std::vector<SpooledMessage> all_spooled() {
    return wait_value<std::vector<SpooledMessage>>(
        [&](auto done) { store().scan_spool(std::nullopt, 1'000'000, std::move(done)); });
  }
};

}  // namespace

TEST_CASE_METHOD(CrashFixture,
                 "whatever was acknowledged survives a kill at any moment, whole and without leftovers") {
  kill_again_and_again(1ULL << 30U);
}

TEST_CASE_METHOD(CrashFixture, "a kill at any moment leaves a dumpster at its size limit whole and honest") {
  kill_again_and_again(2'000'000);
  CHECK(group().covered_from > store().identity().store_created);
}
