#include "relay/net/io_threads.hpp"

#include <pthread.h>

#include <algorithm>

namespace relay {

IoThreads::IoThreads(unsigned count, std::string name) {
  const unsigned wanted = count != 0 ? count : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < wanted; ++i)
    threads_.push_back(std::make_unique<Thread>());
  for (auto& thread : threads_) {
    thread->thread = std::thread([&context = thread->context, name] {
      ::pthread_setname_np(::pthread_self(), name.c_str());
      context.run();
    });
  }
}

IoThreads::~IoThreads() {
  stop();
}

boost::asio::io_context& IoThreads::next() {
  return threads_[turn_.fetch_add(1, std::memory_order_relaxed) % threads_.size()]->context;
}

void IoThreads::stop() {
  for (auto& thread : threads_)
    thread->context.stop();
  for (auto& thread : threads_) {
    if (thread->thread.joinable()) thread->thread.join();
  }
}

}  // namespace relay
