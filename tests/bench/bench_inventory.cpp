#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>

#include "recovery/agent/ledger.hpp"
#include "recovery/agent/maildir_inventory.hpp"

/// `bench_inventory MAILBOXES MESSAGES_EACH`: how long the agent takes to look at maildirs, at first and
/// again, and to keep what it found.
namespace {

using namespace recovery::agent;
namespace fs = std::filesystem;

dumpster::Uuid delivery(std::uint32_t number) {
  dumpster::Uuid uuid;
  for (std::size_t byte = 0; byte < 4; ++byte)
    uuid.bytes[byte] = static_cast<std::uint8_t>(number >> (8 * byte));
  return uuid;
}

std::string mailbox_name(std::uint32_t number) {
  return "user" + std::to_string(number) + "@example.test";
}

void write_mail(const fs::path& root, std::uint32_t mailbox, std::uint32_t number) {
  const fs::path folder = root / mailbox_name(mailbox);
  for (const char* part : {"tmp", "new", "cur"})
    fs::create_directories(folder / part);
  std::ofstream file{folder / "new" / (std::to_string(number) + ".host")};
  file << "X-Dumpster-Id: hub/" << dumpster::to_string(delivery(number))
       << "\r\nReceived: from somewhere\r\n\r\n"
       << std::string(2'000, 'x') << "\r\n";
}

long peak_mebibytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

template <class Step>
void measure(const char* what, Step step) {
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t count = step();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << what << ": " << count << " in " << took.count() << " s, peak memory " << peak_mebibytes()
            << " MiB" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: bench_inventory MAILBOXES MESSAGES_EACH\n";
    return 1;
  }
  const auto mailboxes = static_cast<std::uint32_t>(std::atoi(argv[1]));
  const auto each = static_cast<std::uint32_t>(std::atoi(argv[2]));
  std::string name = fs::temp_directory_path() / "bench-inventory-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return 1;
  const fs::path root = name;
  std::set<std::string> names;
  for (std::uint32_t mailbox = 0; mailbox < mailboxes; ++mailbox) {
    names.insert(mailbox_name(mailbox));
    for (std::uint32_t message = 0; message < each; ++message)
      write_mail(root / "mail", mailbox, mailbox * each + message + 1);
  }
  const auto source = make_maildir_inventory(root / "mail");
  const auto take = [&] { return source->take(names, dumpster::Instant{})->size(); };
  measure("first look, deliveries", take);
  ::sleep(3);  // until what is remembered of a folder can be trusted
  take();
  measure("look again, deliveries", take);
  write_mail(root / "mail", 0, mailboxes * each + 1);
  measure("look again after one more mail, deliveries", take);

  auto store = make_ledger_file(root);
  const auto inventory = source->take(names, dumpster::Instant{});
  measure("confirmations kept", [&] {
    Ledger& ledger = **store->open("marker");
    inventory->each([&](const std::string& mailbox, const dumpster::Uuid& id, std::uint32_t copies) {
      store->confirm({{"http://127.0.0.1:8025", "sg1"}, dumpster::Instant{}, mailbox, id, copies});
    });
    if (!store->save()) std::abort();
    return ledger.size();
  });
  measure("confirmations read, bytes on disk ", [&] {
    auto again = make_ledger_file(root);
    if ((*again->open("marker"))->size() != inventory->size()) std::abort();
    return static_cast<std::size_t>(fs::file_size(root / "ledger"));
  });
  fs::remove_all(root);
  return 0;
}
