#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "mail_source/connection.hpp"

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
};

/// What all sessions share.
struct Run {
  const Options options;
  const std::string text;
  const Clock::time_point begun = Clock::now();
  std::atomic<unsigned> next{0};
  std::mutex mutex{};
  std::vector<double> waited{};  ///< seconds
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
void wait_for_turn(const Run& run, unsigned number) {
  if (run.options.rate <= 0) return;
  const std::chrono::duration<double> due{number / run.options.rate};
  std::this_thread::sleep_until(run.begun + std::chrono::duration_cast<Clock::duration>(due));
}

void send_mails(Run& run) {
  std::unique_ptr<mail_source::Connection> connection;
  std::vector<double> waited;
  for (unsigned number = run.next++; number < run.options.messages; number = run.next++) {
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
    waited.push_back(std::chrono::duration<double>(Clock::now() - ended).count());
    if (!run.options.each) continue;
    expect(*connection, "QUIT\r\n", 221);
    connection.reset();
  }
  const std::lock_guard lock{run.mutex};
  run.waited.insert(run.waited.end(), waited.begin(), waited.end());
}

void session(Run& run) {
  try {
    send_mails(run);
  } catch (const std::exception& failure) {
    const std::lock_guard lock{run.mutex};
    run.failure = failure.what();
  }
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0
                        : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

int report(Run& run) {
  const auto seconds = std::chrono::duration<double>(Clock::now() - run.begun).count();
  if (!run.failure.empty()) {
    std::cerr << "mail_source: " << run.failure << '\n';
    return 1;
  }
  auto& waited = run.waited;
  std::sort(waited.begin(), waited.end());
  std::cout << "{\"seconds\": " << seconds << ", \"rate\": " << run.options.messages / seconds
            << ", \"median\": " << quantile(waited, 0.5) << ", \"p99\": " << quantile(waited, 0.99) << "}\n";
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
