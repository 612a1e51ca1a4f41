#include "relay/hub/hub.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "dumpster/rocksdb_store.hpp"
#include "metrics/log.hpp"
#include "recovery/api/observability.hpp"
#include "recovery/http/tls.hpp"
#include "relay/hub/file_limit.hpp"
#include "relay/hub/reloading.hpp"
#include "relay/hub/server_settings.hpp"

namespace relay {

namespace asio = boost::asio;

namespace {

// A message under way gets its reply and its outcome; systemd's own patience is 90 s.
constexpr std::chrono::seconds session_patience{20};
constexpr std::chrono::seconds delivery_patience{20};
constexpr std::chrono::seconds http_patience{2};
constexpr std::chrono::seconds load_interval{1};

DispatcherSettings dispatcher_settings(const HubConfiguration& configuration) {
  DispatcherSettings settings;
  settings.hub_name = configuration.name;
  settings.back_off = configuration.back_off;
  settings.queue_lifetime = configuration.queue_lifetime;
  settings.delay_warning = configuration.delay_warning;
  settings.postmaster = configuration.postmaster;
  settings.connections_per_destination = configuration.connections_per_destination;
  settings.max_connections = configuration.max_outgoing_connections;
  settings.in_doubt_wait = configuration.in_doubt_wait;
  settings.smarthost = configuration.smarthost;
  settings.clusters = configuration.routes;
  return settings;
}

std::string text_of(const ListenAddress& address) {
  const auto host = address.address.to_string();
  return (address.address.is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(address.port);
}

using RecoveryTls = std::shared_ptr<asio::ssl::context>;

/// The recovery API's certificate files, read again; null without TLS. Other paths count from the next start
/// on.
dumpster::Result<RecoveryTls> read_recovery_tls(const HubConfiguration& running) {
  if (!running.recovery_tls) return RecoveryTls{};
  return recovery::http::make_tls_context(*running.recovery_tls);
}

}  // namespace

Hub::Hub(std::string path, HubConfiguration configuration, Surroundings surroundings)
    : path_(std::move(path)),
      configuration_(std::move(configuration)),
      next_hops_(std::move(surroundings.next_hops)),
      tokens_(std::move(surroundings.tokens)),
      server_settings_(
          std::make_shared<const ServerSettings>(server_settings(configuration_, surroundings))) {
  use_directory(surroundings);
}

Hub::~Hub() {
  housekeeper_.reset();
  if (ldap_) ldap_->close();
  if (session_threads_) session_threads_->stop();
  if (delivery_threads_) delivery_threads_->stop();
}

int Hub::run() {
  for (const auto& warning : configuration_.warnings)
    metrics::log_warning("configuration", {{"warning", warning}});
  raise_file_limit(configuration_.max_connections + std::uint64_t{configuration_.max_outgoing_connections});
  if (!open()) return 1;
  wait_for_signals();
  look_at_load();
  housekeeper_ = std::make_unique<Housekeeper>([this] { look_at_recipients(); }, [this] { reload(); });
  dispatcher_->start([this](std::string failure) {
    asio::post(http_, [this, failure = std::move(failure)] { started(failure); });
  });
  http_.run();
  housekeeper_->stop();
  if (ldap_) ldap_->close();  // whoever still waits for it is answered while there are threads to answer on
  session_threads_->stop();
  delivery_threads_->stop();
  const bool unrecorded = dispatcher_->left_unrecorded();
  if (!unrecorded) store_->close();
  metrics::log_info("stopped");
  // What the store still has to answer must not find its askers gone, and closing would call this end a clean
  // one. So it is what it is: an end like any crash, which the next start knows how to deal with.
  if (unrecorded) std::_Exit(status_);
  return status_;
}

bool Hub::open() {
  dumpster::RocksDbStoreOptions options;
  options.path = configuration_.data_dir / "store";
  options.clusters = configuration_.clusters;
  options.metrics = &metrics_;
  auto opened = dumpster::open_rocksdb_store(std::move(options));
  if (!opened) {
    metrics::log_error("store not opened", {{"path", (configuration_.data_dir / "store").string()},
                                            {"reason", opened.error().detail}});
    return false;
  }
  store_ = std::move(*opened);
  session_threads_ = std::make_unique<IoThreads>(configuration_.threads, "session");
  delivery_threads_ = std::make_unique<IoThreads>(std::max(1U, session_threads_->count() / 2), "delivery");
  auto settings = dispatcher_settings(configuration_);
  settings.policies = [this] { return next_hops_.get(); };
  settings.slow_down = [this](std::shared_ptr<const Slowdowns> slowdowns) {
    slowdowns_.set(std::move(slowdowns));
  };
  dispatcher_ = std::make_unique<Dispatcher>(
      *delivery_threads_, *store_, [this] { return directory_.get(); }, metrics_, dumpster::system_clock(),
      std::move(settings));
  context_.reset(new ServerContext{*store_, [this] { return directory_.get(); }, metrics_,
                                   dumpster::system_clock(), [this] { return server_settings_.get(); }});
  context_->slowdowns = [this] { return slowdowns_.get(); };
  context_->accepted = [this](dumpster::Message message, std::shared_ptr<const FreshBody> body) {
    dispatcher_->submit(std::move(message), std::move(body));
  };
  relay_ = std::make_unique<RelayForRecovery>(*dispatcher_, *store_, context_->load_gate);
  try {
    for (const auto& listener : configuration_.listeners) {
      listeners_.push_back(
          std::make_unique<Listener>(*session_threads_, listener.address, listeners_.size(), *context_));
    }
    open_http();
  } catch (const std::exception& exception) {
    metrics::log_error("port not opened", {{"reason", exception.what()}});
    session_threads_->stop();
    delivery_threads_->stop();
    // What the run before left in doubt is not recorded: this end does not make it a clean one.
    if (store_->identity().clean_shutdown) store_->close();
    return false;
  }
  return true;
}

void Hub::listen(recovery::http::Server& server, const ListenAddress& address,
                 const std::optional<recovery::http::TlsSettings>& tls) {
  const auto text = text_of(address);
  const auto port = tls ? server.listen_tls(text, *tls) : server.listen_tcp(text);
  if (!port) throw std::runtime_error(text + ": " + port.error().detail);
}

void Hub::open_http() {
  std::vector<std::string> clusters;
  for (const auto& cluster : configuration_.clusters)
    clusters.push_back(cluster.name);
  resubmissions_ = std::make_unique<recovery::ResubmissionRunner>(
      http_.get_executor(), *store_, *relay_, std::move(clusters),
      static_cast<double>(configuration_.resubmit_rate));
  recovery::ApiSettings settings;
  settings.resubmissions = resubmissions_.get();
  settings.hub = configuration_.name;
  settings.version = DUMPSTER_VERSION;
  settings.clusters = configuration_.clusters;
  settings.resubmit_lifetime = configuration_.resubmit_lifetime;
  settings.started_at = dumpster::system_clock().now();
  api_ = std::make_unique<recovery::Api>(*store_, *relay_, std::move(settings));

  const auto serve = [this](std::shared_ptr<const recovery::http::Router> router, bool counted) -> auto& {
    recovery::http::ServerSettings server_settings;
    if (counted) server_settings.answered = [this](int status) { metrics_.recovery_query(status); };
    servers_.push_back(std::make_unique<recovery::http::Server>(http_.get_executor(), std::move(router),
                                                                std::move(server_settings)));
    return *servers_.back();
  };
  auto operator_router = std::make_shared<recovery::http::Router>();
  api_->add_operator_routes(*operator_router);
  auto& admin = serve(operator_router, false);
  const auto bound = admin.listen_unix(configuration_.admin_socket);
  if (!bound) throw std::runtime_error(configuration_.admin_socket.string() + ": " + bound.error().detail);

  if (configuration_.recovery_address) {
    auto router = std::make_shared<recovery::http::Router>();
    api_->add_routes(*router, [this] { return tokens_.get(); });
    listen(serve(router, true), *configuration_.recovery_address, configuration_.recovery_tls);
  }
  if (configuration_.metrics_address) {
    auto router = std::make_shared<recovery::http::Router>();
    recovery::Observed observed;
    observed.metrics = [this] {
      store_->show_gauges();
      metrics_.load_shedding(context_->load_gate.closed() || !store_->writable());
      return metrics_.exposition();
    };
    observed.accepting = [this] { return relay_->accepting(); };
    recovery::add_observability(*router, std::move(observed));
    listen(serve(router, false), *configuration_.metrics_address, std::nullopt);
  }
}

void Hub::started(const std::string& failure) {
  if (!failure.empty()) {
    metrics::log_error("spool not loaded", {{"reason", failure}});
    status_ = 1;
    stop();
    return;
  }
  if (stopping_) return;
  for (const auto& listener : listeners_)
    listener->start();
  relay_->listening(true);
  resubmissions_->start();
  metrics::log_info("ready", {{"hub", configuration_.name}, {"version", DUMPSTER_VERSION}});
}

void Hub::wait_for_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    signals_.add(signal);
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      housekeeper_->reload();
    } else {
      metrics::log_info("stopping", {{"signal", signal}});
      stop();
    }
    if (!stopping_) wait_for_signals();
  });
}

/// Every second, and once before the first mail.
void Hub::look_at_load() {
  if (stopping_) return;
  const auto before = context_->load_gate.reason();
  const auto settings = server_settings_.get();
  context_->load_gate.look(look_at_machine(configuration_.data_dir, store_->writable()), settings->load);
  const auto now = context_->load_gate.reason();
  if (now != before && now != LoadGate::Reason::none) {
    metrics::log_error("new mail is refused", {{"reason", to_string(now)}});
  } else if (now != before) {
    metrics::log_info("new mail is taken again");
  }
  load_timer_.expires_after(load_interval);
  load_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) look_at_load();
  });
}

void Hub::reload() {
  auto reading = read_configuration(path_);
  std::vector<std::string> faults;
  for (const auto& fault : reading.faults)
    faults.push_back(to_string(fault));
  auto surroundings = read_surroundings(reading.configuration, faults);
  for (const auto& fault : faults)
    metrics::log_error("not reloaded", {{"fault", fault}});
  if (!faults.empty() || refuse_dropping(reading.configuration)) return;
  auto recovery_tls = read_recovery_tls(configuration_);
  if (!recovery_tls) {
    metrics::log_error("not reloaded", {{"fault", recovery_tls.error().detail}});
    return;
  }
  for (const auto& warning : reading.configuration.warnings)
    metrics::log_warning("configuration", {{"warning", warning}});
  for (const auto& key : kept_until_restart(configuration_, reading.configuration))
    metrics::log_warning("kept until a restart", {{"key", key}});
  server_settings_.set(std::make_shared<const ServerSettings>(
      reloaded_server_settings(*server_settings_.get(), reading.configuration, surroundings)));
  for (const auto& listener : reading.configuration.listeners) {
    if (listener.tls != ListenerSettings::Tls::none)
      metrics::log_info("certificate loaded", {{"file", listener.tls_files.certificate.string()}});
  }
  configuration_.recipients = reading.configuration.recipients;
  use_directory(surroundings);
  next_hops_.set(std::move(surroundings.next_hops));
  tokens_.set(std::move(surroundings.tokens));
  dispatcher_->look_at_routes(true);
  apply_limits(reading.configuration);
  // HTTP and resubmissions belong to the thread of `run`. Whoever connects once the log has said "reloaded"
  // is served behind this.
  const auto rate = static_cast<double>(reading.configuration.resubmit_rate);
  asio::post(http_, [this, tls = std::move(*recovery_tls), rate] {
    if (tls) {
      for (const auto& server : servers_)
        server->renew_tls(tls);
    }
    resubmissions_->set_rate(rate);
  });
  metrics::log_info("reloaded");
}

/// A group that the configuration no longer has would be served by nobody, with its mail in it (promise 11).
/// What holds nothing any more may go, at the next start.
bool Hub::refuse_dropping(const HubConfiguration& read) {
  const auto gone = dropped(configuration_, read);
  if (!gone.any()) return false;
  for (const auto& group : gone.storage_groups) {
    store_->storage_group_state(group, [](dumpster::Result<dumpster::StorageGroupState> state) {
      if (!state) return;
      metrics::log_error("not reloaded", {{"fault", "a storage group would be dropped with its mail"},
                                          {"cluster", state->name.cluster},
                                          {"storage_group", state->name.group},
                                          {"retained", state->messages},
                                          {"in_doubt", state->in_doubt}});
    });
  }
  for (const auto& node : gone.nodes)
    metrics::log_error("not reloaded", {{"fault", "a node would be dropped"}, {"node", node}});
  metrics::log_error("not reloaded",
                     {{"fault", "clusters, storage groups and nodes are dropped by a restart only"},
                      {"spooled", store_->spool_totals().messages}});
  return true;
}

void Hub::apply_limits(const HubConfiguration& read) {
  for (const auto& cluster : read.clusters) {
    for (const auto& group : cluster.storage_groups) {
      const dumpster::StorageGroup name{cluster.name, group.name};
      store_->set_limits(name, group.limits, [name](dumpster::Result<dumpster::Done> done) {
        if (done || done.error().fault == dumpster::Fault::not_found) return;  // new: from the next start on
        metrics::log_error(
            "limits not set",
            {{"cluster", name.cluster}, {"storage_group", name.group}, {"reason", done.error().detail}});
      });
    }
  }
}

/// In two steps: no new mail, sessions end behind the message they are receiving; then deliveries end and are
/// recorded.
void Hub::stop() {
  if (std::exchange(stopping_, true)) return;
  load_timer_.cancel();
  relay_->listening(false);
  if (resubmissions_) resubmissions_->stop();
  for (const auto& listener : listeners_)
    listener->stop();
  // Waiting for sessions would keep this thread from serving status meanwhile.
  std::thread([this] {
    if (!context_->sessions.stop_all(session_patience)) {
      metrics::log_warning("sessions still open", {{"sessions", context_->sessions.count()}});
    }
    context_->authenticator.stop();
    dispatcher_->drain(delivery_patience, [this] { asio::post(http_, [this] { drained(); }); });
  }).detach();
}

void Hub::drained() {
  auto end = [this]() -> asio::awaitable<void> {
    const auto patience = http_patience;
    for (const auto& server : servers_)
      co_await server->stop(patience);
    http_.stop();
  };
  asio::co_spawn(http_, std::move(end), asio::detached);
}

}  // namespace relay
