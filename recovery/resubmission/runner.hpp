#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dumpster/store.hpp"
#include "recovery/resubmission/pace.hpp"
#include "recovery/running_relay.hpp"

namespace recovery {

/// Keeps the resubmissions of all clusters going: lets what waits into the spool at the right pace, pauses
/// under back pressure and goes on by itself, and settles what restarts and ended requests have left behind.
///
/// Runs on the executor that it is given, which must be that of an io_context run by one thread; all calls
/// are made on that thread. Store and relay must outlive it and that io_context.
class ResubmissionRunner {
 public:
  /// `rate`: messages a second for each cluster; 0: no limit.
  ResubmissionRunner(boost::asio::any_io_executor executor, dumpster::Store& store, RunningRelay& relay,
                     std::vector<std::string> clusters, double rate);
  ~ResubmissionRunner();
  ResubmissionRunner(const ResubmissionRunner&) = delete;
  ResubmissionRunner& operator=(const ResubmissionRunner&) = delete;

  void start();
  /// Releases nothing more.
  void stop();
  void set_rate(double rate);
  /// Looks now, after a request was accepted.
  void wake();
  /// Why the resubmissions of a cluster pause; empty while they do not.
  std::string paused_because(const std::string& cluster) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace recovery
