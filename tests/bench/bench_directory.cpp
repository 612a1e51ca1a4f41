#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "relay/directory/file_directory.hpp"

// bench_directory LINES: writes a recipients file of so many lines, loads it, looks all kinds of addresses
// up, and loads it again beside the first, as a reload does.

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double resident_mebibytes() {
  ::malloc_trim(0);
  std::ifstream in{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  in >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double peak_mebibytes() {
  std::ifstream in{"/proc/self/status"};
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

std::string person(std::size_t number) {
  return "given.family" + std::to_string(number * 7919 % 100'000'007) + "@department" +
         std::to_string(number % 50) + ".example.test";
}

/// Nine in ten are mailboxes, the others aliases.
void write_recipients(const std::filesystem::path& path, std::size_t lines) {
  std::ofstream out{path};
  for (std::size_t i = 0; i < lines; ++i) {
    if (i % 10 == 9) {
      out << person(i) << " =" << person(i - 1) << '\n';
    } else {
      out << person(i) << " ccr1/sg" << 1 + i % 2 << '\n';
    }
  }
}

relay::FileDirectorySettings settings() {
  return {{{"ccr1", "sg1"}, {"ccr1", "sg2"}}, "hub1.example.test"};
}

template <class Address>
void look_up(const relay::Directory& directory, const char* kind, Address address) {
  constexpr std::size_t count = 200'000;
  std::mt19937_64 random{1};
  std::size_t found = 0;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto answer = directory.find(address(random()));
    if (answer && std::holds_alternative<std::vector<relay::Resolved>>(*answer)) ++found;
  }
  std::printf("%-28s %6.2f us, %zu of %zu found\n", kind, seconds_since(begin) / count * 1e6, found, count);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t lines = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const auto path = std::filesystem::temp_directory_path() / ("recipients-" + std::to_string(::getpid()));
  write_recipients(path, lines);
  const auto size = static_cast<double>(std::filesystem::file_size(path)) / (1 << 20);
  const auto before = resident_mebibytes();
  auto begin = Clock::now();
  auto loaded = relay::load_file_directory(path, settings());
  if (!loaded) {
    std::fputs(loaded.error().text().c_str(), stderr);
    return 1;
  }
  std::printf("%zu lines, %.1f MiB: loaded in %.2f s, %.1f MiB resident, peak %.1f MiB\n", lines, size,
              seconds_since(begin), resident_mebibytes() - before, peak_mebibytes() - before);
  const auto& directory = **loaded;
  look_up(directory, "mailbox", [&](std::size_t n) { return person(n % lines / 10 * 10); });
  look_up(directory, "mailbox with +detail", [&](std::size_t n) {
    auto address = person(n % lines / 10 * 10);
    return address.insert(address.find('@'), "+news");
  });
  look_up(directory, "alias", [&](std::size_t n) { return person(n % lines / 10 * 10 + 9); });
  look_up(directory, "unknown", [&](std::size_t n) { return "x" + person(n % lines); });
  begin = Clock::now();
  const auto again = relay::load_file_directory(path, settings());
  std::printf("loaded again beside it in %.2f s, peak %.1f MiB\n", seconds_since(begin),
              peak_mebibytes() - before);
  std::filesystem::remove(path);
  return again ? 0 : 1;
}
