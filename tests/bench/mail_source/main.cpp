#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "mail_source/connection.hpp"
#include "mail_source/waits.hpp"

/// Sends mail to a hub as smtp-source does, under TLS where wanted, and at a given pace: what smtp-source
/// cannot. Prints messages a second and how long each waited from the end of its data to the reply, as one
/// line of JSON.
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  bool tls = false;
  bool each = false;
  unsigned sessions = 20;
  unsigned messages = 1000;
  std::size_t size = 4096;
  double rate = 0;
  double seconds = 0;
};

/// What all sessions share.
struct Run {
  const Options options;
  const std::string text;
  const Clock::time_point begun = Clock::now();
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex{};
  mail_source::Waits waits{};
  std::string failure{};
};

std::string text_of(std::size_t size) {
  std::string text = "From: sender@example.net\r\nSubject: bench\r\n\r\n";
  while (text.size() + 72 < size)
    text += std::string(70, 'x') + "\r\n";
  return text + std::string(size > text.size() + 2 ? size - text.size() - 2 : 0, 'y') + "\r\n.\r\n";
}

void expect(mail_source::Connection& connection, const std::string& command, int code) {
  if (!command.empty()) connection.send(command);
  const auto answered = connection.reply();
  if (answered != code) throw std::runtime_error("answered with " + std::to_string(answered));
}

/// At a pace each message has its own instant, however long those before it took.
void wait_for_turn(const Run& run, std::uint64_t number) {
  if (run.options.rate <= 0) return;
  const std::chrono::duration<double> due{static_cast<double>(number) / run.options.rate};
  std::this_thread::sleep_until(run.begun + std::chrono::duration_cast<Clock::duration>(due));
}

bool is_wanted(const Run& run, std::uint64_t number) {
  const auto& options = run.options;
  return options.seconds > 0 ? Clock::now() - run.begun < std::chrono::duration<double>{options.seconds}
                             : number < options.messages;
}

void send_mails(Run& run) {
  std::unique_ptr<mail_source::Connection> connection;
  mail_source::Waits waits;
  for (auto number = run.next++; is_wanted(run, number); number = run.next++) {
    wait_for_turn(run, number);
    if (!connection) {
      connection = std::make_unique<mail_source::Connection>(run.options.port, run.options.tls);
      expect(*connection, "", 220);
      expect(*connection, "EHLO client.example.net\r\n", 250);
    }
    expect(*connection, "MAIL FROM:<sender@example.net>\r\n", 250);
    expect(*connection, "RCPT TO:<user@example.test>\r\n", 250);
    expect(*connection, "DATA\r\n", 354);
    connection->send(run.text);
    const auto ended = Clock::now();
    expect(*connection, "", 250);
    waits.add(Clock::now() - ended);
    if (!run.options.each) continue;
    expect(*connection, "QUIT\r\n", 221);
    connection.reset();
  }
  const std::lock_guard lock{run.mutex};
  run.waits.add(waits);
}

void session(Run& run) {
  try {
    send_mails(run);
  } catch (const std::exception& failure) {
    const std::lock_guard lock{run.mutex};
    run.failure = failure.what();
  }
}

int report(Run& run) {
  const auto seconds = std::chrono::duration<double>(Clock::now() - run.begun).count();
  if (!run.failure.empty()) {
    std::cerr << "mail_source: " << run.failure << '\n';
    return 1;
  }
  const auto& waits = run.waits;
  std::cout << "{\"seconds\": " << seconds << ", \"rate\": " << static_cast<double>(waits.count()) / seconds
            << ", \"median\": " << waits.quantile(0.5) << ", \"p99\": " << waits.quantile(0.99) << "}\n";
  return 0;
}

}  // namespace

int main(int count, char** words) {
  CLI::App app{"Sends mail to 127.0.0.1 and measures"};
  Options options;
  app.add_option("--port", options.port)->required();
  app.add_flag("--tls", options.tls, "TLS from the first byte");
  app.add_flag("--each", options.each, "a connection for each mail");
  app.add_option("--sessions", options.sessions);
  app.add_option("--messages", options.messages);
  app.add_option("--seconds", options.seconds, "for that long, however many messages that makes");
  app.add_option("--size", options.size, "bytes");
  app.add_option("--rate", options.rate, "messages a second; 0: as fast as it goes");
  CLI11_PARSE(app, count, words);
  Run run{options, text_of(options.size)};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.sessions; ++i)
    threads.emplace_back([&run] { session(run); });
  for (auto& thread : threads)
    thread.join();
  return report(run);
}
