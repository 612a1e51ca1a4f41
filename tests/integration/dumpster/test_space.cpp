#include <sys/stat.h>

#include <thread>

#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;

namespace {

std::uint64_t disk_bytes(const std::filesystem::path& folder) {
  std::uint64_t blocks = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
      blocks += static_cast<std::uint64_t>(status.st_blocks);
  }
  return blocks * 512;
}

constexpr std::size_t large = 4U << 20U;
constexpr std::size_t small = 20'000;

}  // namespace

TEST_CASE_METHOD(StoreFixture, "bodies of a quiet group do not hold up the disk space of a busy one") {
  auto given = options();
  shut();
  auto& groups = given.clusters.front().storage_groups;
  groups.at(0).limits.max_size = 2 * large;
  auto opened = open_rocksdb_store(given);
  REQUIRE(opened.has_value());
  auto& hub = **opened;
  const auto deliver_one = [&](const StorageGroup& where, std::size_t size) {
    auto made = new_message({"alice@example.test"}, size);
    made.body.resize(size);
    made.message.chunks = static_cast<std::uint32_t>((size + body_chunk_size - 1) / body_chunk_size);
    std::uint32_t seed = static_cast<std::uint32_t>(clock().now().time_since_epoch().count());
    for (auto& byte : made.body)
      byte = static_cast<char>((seed = seed * 1664525U + 1013904223U) >> 24U);
    for (std::uint32_t i = 0; made.message.chunks > 1 && i < made.message.chunks; ++i) {
      hub.append_body(made.message.key, i, made.body.substr(i * body_chunk_size, body_chunk_size),
                      [](const Result<Done>&) {});
    }
    if (made.message.chunks > 1) made.body.clear();
    const auto delivered = outcome(made.message, {0}, RecipientOutcome::Kind::delivered, where);
    wait_value<Done>([&](auto done) { hub.accept(made, std::move(done)); });
    wait_value<AttemptRecorded>([&](auto done) { hub.record(delivered, std::move(done)); });
    clock().advance(1s);
  };
  // 240 MiB go through a dumpster of 8 MiB; the other group has something in every file of bodies.
  for (int i = 0; i < 60; ++i) {
    deliver_one(sg1, large);
    deliver_one(sg2, small);
  }
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (disk_bytes(path()) > 180U << 20U && std::chrono::steady_clock::now() < deadline) {
    hub.retain();
    deliver_one(sg1, large);
    std::this_thread::sleep_for(20ms);
  }
  CHECK(disk_bytes(path()) <= 180U << 20U);
  hub.close();
  opened->reset();
  reopen();
}
