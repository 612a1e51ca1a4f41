#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace relay {

/// The threads that move bytes: one `io_context` each, and whatever begins on one stays there. So connections
/// need no lock and no strand, and clang's fault with coroutines that change threads cannot happen.
class IoThreads {
 public:
  /// `count` 0: one per core. `name`: what the system calls them (`top -H`), at most 15 characters.
  IoThreads(unsigned count, std::string name);
  /// Stops and joins.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  /// The context for a new connection, each in turn. Thread-safe.
  boost::asio::io_context& next();
  /// The one for what there is only one of.
  boost::asio::io_context& first() { return threads_.front()->context; }
  unsigned count() const { return static_cast<unsigned>(threads_.size()); }

  /// Ends all threads, whatever is still under way, and joins them. Not from one of them.
  void stop();

 private:
  struct Thread {
    // One thread runs it, and what is registered with it is used on that thread alone: without locks around
    // I/O.
    boost::asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
    std::thread thread;
  };
  std::vector<std::unique_ptr<Thread>> threads_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace relay
