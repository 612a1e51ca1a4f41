#include "store_load.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <stdexcept>

#include "dumpster/rocksdb_store.hpp"

namespace bench {

using namespace dumpster;

BenchFolder::BenchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "dumpster-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

BenchFolder::~BenchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint64_t BenchFolder::disk_bytes() const {
  std::uint64_t blocks = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{path_}) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
      blocks += static_cast<std::uint64_t>(status.st_blocks);
  }
  return blocks * 512;
}

StoreLoad::StoreLoad(LoadClock& clock, Sizes sizes, RetentionLimits limits, std::filesystem::path path)
    : clock_(clock),
      limits_(limits),
      path_(std::move(path)),
      most_size_(sizes.most),
      sizes_(std::log(sizes.median), sizes.sigma) {
  // Bodies that do not compress: the worst case for the disk.
  noise_.resize(2 * sizes.most);
  for (auto& byte : noise_)
    byte = static_cast<char>(random_());
}

StorageGroup StoreLoad::group(std::size_t number) {
  return {"ccr1", "sg" + std::to_string(number)};
}

void StoreLoad::open() {
  RocksDbStoreOptions options;
  options.path = path_;
  options.clock = &clock_;
  ClusterDefinition cluster;
  cluster.name = "ccr1";
  cluster.nodes = {"node1", "node2"};
  cluster.first_active = "node1";
  for (std::size_t i = 0; i < groups; ++i) {
    const bool quiet = i + 1 == groups;
    cluster.storage_groups.push_back(
        {group(i).group, {quiet ? 1ULL << 50U : limits_.max_size, limits_.max_time}});
  }
  options.clusters.push_back(std::move(cluster));
  auto opened = open_rocksdb_store(std::move(options));
  if (!opened) throw std::runtime_error(opened.error().detail);
  store_ = std::move(*opened);
}

void StoreLoad::close() {
  store_->close();
  store_.reset();
}

StorageGroup StoreLoad::choose_group() {
  const bool quiet = random_() % 50 == 0;
  return group(quiet ? groups - 1 : random_() % (groups - 1));
}

void StoreLoad::wait_until_under_way(std::size_t most) {
  std::unique_lock lock{mutex_};
  fewer_.wait(lock, [&] { return under_way_ <= most; });
  if (failed_) throw std::runtime_error("the store refused a change");
}

void StoreLoad::settled(bool well) {
  const std::lock_guard lock{mutex_};
  --under_way_;
  failed_ = failed_ || !well;
  fewer_.notify_all();
}

void StoreLoad::send_one() {
  wait_until_under_way(most_under_way - 1);
  NewMessage made;
  auto& message = made.message;
  message.received_at = clock_.now();
  message.key = new_uuid(message.received_at);
  message.size = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(sizes_(random_)), 64, most_size_);
  message.chunks = static_cast<std::uint32_t>((message.size + body_chunk_size - 1) / body_chunk_size);
  message.message_id = to_string(message.key) + "@example.test";
  message.envelope.sender = "sender@example.test";
  message.envelope.recipients = {{"alice@example.test", "alice@example.test", "", 0}};
  bytes_sent_ += message.size;
  AttemptOutcome outcome;
  outcome.message = message.key;
  outcome.attempt = 1;
  outcome.target = AttemptTarget{choose_group(), "node1", 0};
  outcome.recipients = {{0, RecipientOutcome::Kind::delivered, "alice@example.test", "250", {}}};
  const auto body = std::string_view{noise_}.substr(random_() % most_size_, message.size);
  if (message.chunks > 1) {
    for (std::uint32_t i = 0; i < message.chunks; ++i) {
      store_->append_body(message.key, i, std::string{body.substr(i * body_chunk_size, body_chunk_size)},
                          [](const Result<Done>&) {});
    }
  } else {
    made.body = body;
  }
  {
    const std::lock_guard lock{mutex_};
    ++under_way_;
  }
  store_->accept(std::move(made), [this, outcome = std::move(outcome)](const Result<Done>& accepted) {
    if (!accepted) return settled(false);
    store_->record(outcome,
                   [this](const Result<AttemptRecorded>& recorded) { settled(recorded.has_value()); });
  });
}

void StoreLoad::deliver(std::uint64_t count, Duration apart) {
  constexpr std::uint64_t look_every = 20'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    clock_.advance(apart);
    send_one();
    if (i % look_every == look_every - 1) store_->retain();
  }
  wait_until_under_way(0);
}

void StoreLoad::retain() {
  store_->retain();
  std::promise<void> done;
  store_->snapshot([&done](const Result<Snapshot>&) { done.set_value(); });
  done.get_future().wait();
}

}  // namespace bench
