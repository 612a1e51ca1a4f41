// What the store costs as its dumpster grows, and what its disk space is under churn.
//
//   bench_store growth MOST            10^3, 10^4, … MOST small deliveries, 60 ms of mail time apart
//   bench_store churn QUOTA_MIB TIMES RATE
//                                      a dumpster of QUOTA_MIB filled, then replaced TIMES times over, at
//                                      RATE MiB/s (0: as fast as it goes)
//
// TMPDIR says on which disk.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "store_load.hpp"

namespace {

using namespace bench;
using namespace dumpster;
using namespace std::chrono_literals;

constexpr double MiB = 1024.0 * 1024.0;

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

std::uint64_t number_in(const char* file, const std::string& name) {
  std::ifstream in{file};
  std::string word;
  std::uint64_t number = 0;
  while (in >> word) {
    if (word == name && in >> number) return number;
  }
  return 0;
}

double resident_mib() {
  return static_cast<double>(number_in("/proc/self/status", "VmRSS:")) / 1024;
}
double written_bytes() {
  return static_cast<double>(number_in("/proc/self/io", "write_bytes:"));
}

/// Lines of the hour in the middle of what one group holds.
std::size_t list_an_hour(Store& store, Instant until) {
  DeliveryQuery query;
  query.group = StoreLoad::group(3);
  query.from = until - 1h;
  query.until = until;
  std::size_t lines = 0;
  while (true) {
    std::promise<Result<DeliveryPage>> promise;
    store.list(query, [&promise](Result<DeliveryPage> page) { promise.set_value(std::move(page)); });
    const auto page = promise.get_future().get();
    if (!page) throw std::runtime_error(page.error().detail);
    lines += page->deliveries.size();
    if (!page->continue_from) return lines;
    query.from = *page->continue_from;
  }
}

int growth(std::uint64_t most) {
  LoadClock clock;
  const auto begun_at = clock.now();
  const BenchFolder folder;
  // The whole of it is kept: what is measured is growth.
  StoreLoad load{clock, {700, 0.8, 8000}, {1ULL << 50U, 24h * 365}, folder.path() / "store"};
  load.open();
  std::printf("%10s %10s %12s %10s %10s %12s %10s %12s\n", "deliveries", "inserts/s", "hour, lines", "ms",
              "us a line", "memory MiB", "restart s", "written/mail");
  std::uint64_t held = 0;
  for (std::uint64_t goal = 1000; goal <= most; goal *= 10) {
    const auto written = written_bytes();
    const auto sent = load.bytes_sent();
    const auto added = goal - held;
    const auto took = seconds_of([&] { load.deliver(added, 60ms); });
    const auto amplification = (written_bytes() - written) / static_cast<double>(load.bytes_sent() - sent);
    held = goal;
    const auto restart = seconds_of([&] {
      load.close();
      load.open();
    });
    const auto middle = begun_at + (clock.now() - begun_at) / 2 + 30min;
    std::size_t lines = 0;
    const auto listing = seconds_of([&] { lines = list_an_hour(load.store(), middle); });
    std::printf("%10llu %10.0f %12zu %10.1f %10.2f %12.0f %10.2f %12.2f\n",
                static_cast<unsigned long long>(goal), static_cast<double>(added) / took, lines,
                listing * 1e3, listing * 1e6 / static_cast<double>(std::max<std::size_t>(lines, 1)),
                resident_mib(), restart, amplification);
    std::fflush(stdout);
  }
  load.close();
  return 0;
}

void keep_to(double mib_a_second, std::uint64_t bytes, std::chrono::steady_clock::time_point since) {
  if (mib_a_second <= 0) return;
  const std::chrono::duration<double> due{static_cast<double>(bytes) / MiB / mib_a_second};
  std::this_thread::sleep_until(since + std::chrono::duration_cast<std::chrono::nanoseconds>(due));
}

int churn(std::uint64_t quota_mib, std::uint64_t times, double rate) {
  LoadClock clock;
  const BenchFolder folder;
  const auto quota = quota_mib << 20U;
  // Seven busy groups share it. The mix of a mail hub: most mails some KiB, most bytes in large ones.
  StoreLoad load{clock, {12'000, 1.6, 10'000'000}, {quota / 7, 24h * 7}, folder.path() / "store"};
  load.open();
  std::printf("%8s %12s %12s %8s %14s\n", "times", "held MiB", "disk MiB", "ratio", "written/mail");
  double worst = 0;
  const auto started = std::chrono::steady_clock::now();
  for (std::uint64_t round = 0; round <= times; ++round) {
    const auto written = written_bytes();
    const auto begun = load.bytes_sent();
    double highest = 0;
    while (load.bytes_sent() - begun < quota) {
      load.deliver(50, 100ms);
      load.retain();
      keep_to(rate, load.bytes_sent(), started);
      highest = std::max(highest, static_cast<double>(folder.disk_bytes()));
    }
    std::uint64_t held = 0;
    for (std::size_t i = 0; i < StoreLoad::groups; ++i) {
      std::promise<std::uint64_t> bytes;
      load.store().storage_group_state(StoreLoad::group(i), [&](const Result<StorageGroupState>& state) {
        bytes.set_value(state ? state->bytes : 0);
      });
      held += bytes.get_future().get();
    }
    const auto ratio = highest / static_cast<double>(held);
    if (round > 0) worst = std::max(worst, ratio);
    std::printf("%8llu %12.1f %12.1f %8.2f %14.2f\n", static_cast<unsigned long long>(round),
                static_cast<double>(held) / MiB, highest / MiB, ratio,
                (written_bytes() - written) / static_cast<double>(load.bytes_sent() - begun));
    std::fflush(stdout);
  }
  load.close();
  std::printf("the disk held at most %.2f times what the dumpsters held\n", worst);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::strcmp(argv[1], "growth") == 0) return growth(std::stoull(argv[2]));
    if (argc == 5 && std::strcmp(argv[1], "churn") == 0)
      return churn(std::stoull(argv[2]), std::stoull(argv[3]), std::stod(argv[4]));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_store: %s\n", failure.what());
    return 1;
  }
  std::fprintf(stderr, "usage: bench_store growth MOST | churn QUOTA_MIB TIMES RATE\n");
  return 64;
}
