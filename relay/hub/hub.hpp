#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"
#include "recovery/api/api.hpp"
#include "recovery/http/server.hpp"
#include "recovery/resubmission/runner.hpp"
#include "relay/delivery/dispatcher.hpp"
#include "relay/directory/ldap/ldap_directory.hpp"
#include "relay/hub/configuration.hpp"
#include "relay/hub/file_watch.hpp"
#include "relay/hub/housekeeper.hpp"
#include "relay/hub/relay_for_recovery.hpp"
#include "relay/hub/reloadable.hpp"
#include "relay/hub/surroundings.hpp"
#include "relay/server/listener.hpp"

namespace relay {

/// A running hub: everything that `dumpsterd` is made of, put together. Mail moves on the io threads; HTTP
/// and signals are served on the thread that calls `run`; a reload runs on the housekeeper's.
class Hub {
 public:
  /// `path`: the file that a reload reads again.
  Hub(std::string path, HubConfiguration configuration, Surroundings surroundings);
  ~Hub();

  /// Opens the store and the ports, loads the spool, serves until SIGTERM or SIGINT, then drains and closes.
  /// SIGHUP reads the configuration and the files that it names again: limits of retention, `resubmit_rate`,
  /// recipients, tokens, certificates of the recovery API, what [[next_hop]] says and what sessions go by
  /// (certificates, passwords, networks, limits) count at once, for sessions that begin afterwards; the rest
  /// from the next start on. What waits for a next hop that the directory no longer names goes to the other
  /// one, and next hops that could not be reached are tried at once. Any fault keeps all that was there. A
  /// recipients file that has changed is read without a signal, too. The exit status.
  int run();

 private:
  bool open();
  void open_http();
  void listen(recovery::http::Server& server, const ListenAddress& address,
              const std::optional<recovery::http::TlsSettings>& tls);
  void started(const std::string& failure);
  void wait_for_signals();
  /// On the housekeeper's thread, like `look_at_recipients`: neither io threads nor HTTP wait for large
  /// files.
  void reload();
  void look_at_recipients();
  /// In the constructor, afterwards on the housekeeper's thread.
  void use_directory(Surroundings& surroundings);
  void stop();
  void drained();

  void look_at_load();
  void apply_limits(const HubConfiguration& read);
  bool refuse_dropping(const HubConfiguration& read);

  const std::string path_;
  HubConfiguration configuration_;
  Reloadable<Directory> directory_{nullptr};
  std::shared_ptr<const ldap::LdapDirectory> ldap_;  ///< the same, while it is on a server
  std::optional<ldap::Settings> ldap_settings_;      ///< what it was made with
  std::optional<FileWatch> recipients_;              ///< while it is a file
  Reloadable<NextHopPolicies> next_hops_;
  Reloadable<recovery::Tokens> tokens_;
  Reloadable<ServerSettings> server_settings_;
  Reloadable<Slowdowns> slowdowns_{std::make_shared<const Slowdowns>()};
  metrics::HubMetrics metrics_;
  std::unique_ptr<dumpster::Store> store_;
  // Sessions that are cut off at the very end go with their io_context, and still use store and context;
  // dispatcher and listeners have timers and sockets of the io_contexts. Hence this order.
  std::unique_ptr<ServerContext> context_;
  std::unique_ptr<IoThreads> session_threads_;
  std::unique_ptr<IoThreads> delivery_threads_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<RelayForRecovery> relay_;
  std::unique_ptr<recovery::Api> api_;
  std::unique_ptr<Housekeeper> housekeeper_;
  boost::asio::io_context http_{1};
  std::unique_ptr<recovery::ResubmissionRunner> resubmissions_;
  std::vector<std::unique_ptr<recovery::http::Server>> servers_;
  boost::asio::signal_set signals_{http_};
  boost::asio::steady_timer load_timer_{http_};
  int status_ = 0;
  bool stopping_ = false;
};

}  // namespace relay
