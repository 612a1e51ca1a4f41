#include "relay/hub/housekeeper.hpp"

#include <chrono>

namespace relay {

namespace {

constexpr std::chrono::seconds pause{1};

}  // namespace

Housekeeper::Housekeeper(std::function<void()> look, std::function<void()> reload)
    : look_(std::move(look)), reload_(std::move(reload)), thread_([this] { work(); }) {}

Housekeeper::~Housekeeper() {
  stop();
}

void Housekeeper::reload() {
  const std::lock_guard lock{mutex_};
  wanted_ = true;
  wake_.notify_one();
}

void Housekeeper::stop() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Housekeeper::work() {
  std::unique_lock lock{mutex_};
  while (!ending_) {
    const bool called = wake_.wait_for(lock, pause, [this] { return wanted_ || ending_; });
    if (ending_) return;
    wanted_ = false;
    lock.unlock();
    called ? reload_() : look_();
    lock.lock();
  }
}

}  // namespace relay
