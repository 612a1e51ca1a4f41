#include "relay/server/authenticator.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace relay {

Authenticator::Authenticator(std::size_t max_waiting) : max_waiting_(max_waiting) {}

Authenticator::~Authenticator() {
  stop();
}

void Authenticator::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (auto& task : std::exchange(tasks_, {}))
    task.done(Verdict::busy);
}

void Authenticator::check(std::shared_ptr<const Passwords> passwords, std::string user, std::string password,
                          dumpster::Completion<Verdict> done) {
  {
    const std::lock_guard lock{mutex_};
    if (!stopping_ && tasks_.size() < max_waiting_) {
      tasks_.push_back({std::move(passwords), std::move(user), std::move(password), std::move(done)});
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
      wake_.notify_one();
      return;
    }
  }
  done(Verdict::busy);
}

void Authenticator::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    const bool match = task.passwords->match(task.user, task.password);
    OPENSSL_cleanse(task.password.data(), task.password.size());
    task.done(match ? Verdict::accepted : Verdict::refused);
    lock.lock();
  }
}

}  // namespace relay
