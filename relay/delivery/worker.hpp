#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "dumpster/store.hpp"
#include "relay/delivery/next_hop_session.hpp"
#include "relay/queue/job.hpp"

namespace relay {

/// One transaction given to a worker.
struct Assignment {
  Job job;
  std::optional<dumpster::AttemptTarget> target;  ///< for a storage group
  std::uint32_t attempt = 0;
  smtp::ClientTransaction transaction;
  std::string id_field;  ///< for a storage group
  std::shared_ptr<const FreshBody> fresh_body;
};

class Worker;

/// Told by workers, on the workers' threads.
class WorkerOwner {
 public:
  virtual ~WorkerOwner() = default;
  virtual void worker_ready(std::shared_ptr<Worker> worker) = 0;
  virtual void worker_finished(std::shared_ptr<Worker> worker, Assignment assignment, TransactionEnd end,
                               std::chrono::nanoseconds duration) = 0;
  /// No more of it. `failure` says why it never became ready, or is empty.
  virtual void worker_gone(std::shared_ptr<Worker> worker, std::string failure) = 0;
};

/// A connection to one next hop and the loop that makes transactions on it, one after the other. Its owner
/// gives it work only between `worker_ready` (or `worker_finished` with a reusable connection) and the next
/// report. Work that comes when the worker was cut or is gone is reported as finished without results:
/// nothing of it was begun.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  /// `owner` outlives the io threads.
  Worker(boost::asio::io_context& context, NextHop hop, NextHopPolicy policy, std::string hub_name,
         dumpster::Store& store, WorkerOwner& owner);

  // Thread-safe; each takes effect on the worker's own thread.
  void start();
  void assign(Assignment assignment);
  void leave();  ///< says QUIT when idle and is gone
  void cut();    ///< breaks off what is under way and is gone

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> wait_for_work();
  boost::asio::awaitable<bool> perform(Assignment assignment);
  boost::asio::awaitable<TransactionEnd> transact(const Assignment& assignment);
  boost::asio::awaitable<std::string> reopen();

  boost::asio::io_context& context_;
  NextHop hop_;
  NextHopPolicy policy_;
  std::string hub_name_;
  dumpster::Store& store_;
  WorkerOwner& owner_;
  std::optional<NextHopSession> session_;
  boost::asio::steady_timer wake_;
  std::optional<Assignment> next_;
  bool used_ = false;
  bool leaving_ = false;
  bool cut_ = false;
  bool gone_ = false;
};

}  // namespace relay
