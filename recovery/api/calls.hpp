#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/await.hpp"
#include "dumpster/cluster.hpp"
#include "dumpster/store.hpp"
#include "recovery/access/permission.hpp"
#include "recovery/api/api.hpp"
#include "recovery/http/message.hpp"
#include "recovery/running_relay.hpp"

namespace recovery {

/// Who asks, after authentication.
struct Caller {
  Identity identity;
  std::string node;  ///< of an agent: its `Dumpster-Node`, or its token's; may be empty
};

/// The calls of the API, one function each. A call throws `Refusal` for what it does not do. Scope and role
/// have been checked before; where a call needs more than its path says, it checks that itself.
class Calls {
 public:
  Calls(dumpster::Store& store, RunningRelay& relay, ApiSettings settings);

  using Answer = boost::asio::awaitable<void>;

  Answer description(Caller caller, http::Request request, http::Responder& out);
  Answer hub(Caller caller, http::Request request, http::Responder& out);
  Answer status(Caller caller, http::Request request, http::Responder& out);
  Answer cluster(Caller caller, http::Request request, http::Responder& out);
  Answer activate(Caller caller, http::Request request, http::Responder& out);
  Answer recovered(Caller caller, http::Request request, http::Responder& out);
  Answer hold(Caller caller, http::Request request, http::Responder& out);
  Answer release(Caller caller, http::Request request, http::Responder& out);

  Answer deliveries(Caller caller, http::Request request, http::Responder& out);
  Answer message(Caller caller, http::Request request, http::Responder& out);
  Answer absent(Caller caller, http::Request request, http::Responder& out);

  Answer replicated(Caller caller, http::Request request, http::Responder& out);

  Answer sizing(Caller caller, http::Request request, http::Responder& out);
  Answer purge(Caller caller, http::Request request, http::Responder& out);
  Answer verify(Caller caller, http::Request request, http::Responder& out);
  Answer backup(Caller caller, http::Request request, http::Responder& out);
  Answer purge_delivery(Caller caller, http::Request request, http::Responder& out);

  Answer queue(Caller caller, http::Request request, http::Responder& out);
  /// `POST /v1/queue/ACTION`
  Answer change_queue(Caller caller, http::Request request, http::Responder& out);
  Answer trace(Caller caller, http::Request request, http::Responder& out);

  Answer resubmit(Caller caller, http::Request request, http::Responder& out);
  Answer resubmissions(Caller caller, http::Request request, http::Responder& out);
  Answer resubmission(Caller caller, http::Request request, http::Responder& out);
  Answer cancel(Caller caller, http::Request request, http::Responder& out);

  /// Cluster, group and node have to be configured: refuses with 404, the node with 400.
  void require_known(const http::Request& request) const;
  void require_known_node(const std::string& cluster, const std::string& node) const;
  void heard(const std::string& cluster, const std::string& node) {
    store_.record_agent_contact(cluster, node);
    relay_.agent_heard(cluster, node);
  }

 private:
  const dumpster::ClusterDefinition* definition_of(std::string_view cluster) const;
  boost::asio::awaitable<dumpster::ClusterState> state_of(std::string cluster);
  boost::asio::awaitable<boost::json::object> cluster_document(std::string cluster);
  boost::asio::awaitable<dumpster::StorageGroupState> group_state(dumpster::StorageGroup group);
  boost::asio::awaitable<dumpster::Purged> purge_all(dumpster::PurgeRequest purge);
  boost::asio::awaitable<dumpster::Instant> snapshot();
  boost::asio::awaitable<std::vector<dumpster::Resubmission>> newest_resubmissions();
  /// With the reason for a pause.
  boost::json::object resubmission_document(const dumpster::Resubmission& resubmission) const;
  boost::asio::awaitable<dumpster::Resubmission> load_resubmission(Caller caller, Action action,
                                                                   std::string id);
  /// Refuses with the store's words; a conflict names the current node and term.
  boost::asio::awaitable<void> refuse(dumpster::Error error, std::string cluster);
  struct Streamed {
    std::uint64_t lines = 0;
    std::optional<dumpster::Instant> damaged_until;
  };
  boost::asio::awaitable<Streamed> stream_lines(dumpster::DeliveryQuery query, http::Responder& out);
  boost::asio::awaitable<std::string> body_chunk(dumpster::Uuid message, std::uint32_t chunk);
  boost::asio::awaitable<std::vector<RunningRelay::Destination>> destinations();
  boost::asio::awaitable<RunningRelay::QueuePage> queue_page(RunningRelay::QueueFilter filter,
                                                             std::optional<dumpster::Uuid> after);
  boost::asio::awaitable<RunningRelay::QueueChanged> change_all(RunningRelay::QueueFilter filter,
                                                                RunningRelay::QueueAction action,
                                                                bool dry_run);
  boost::asio::awaitable<dumpster::HistoryFound> remembered(dumpster::HistoryQuery query);
  boost::asio::awaitable<std::vector<dumpster::Delivery>> retained(dumpster::StorageGroup group,
                                                                   dumpster::Uuid delivery);
  boost::asio::awaitable<void> add_retained(dumpster::HistoryFound& found, dumpster::HistoryQuery query);
  boost::asio::awaitable<boost::json::object> trace_of(dumpster::MessageHistory history);

  dumpster::Store& store_;
  RunningRelay& relay_;
  ApiSettings settings_;
};

/// An answer of one JSON document.
http::Response json_answer(int status, const boost::json::object& document);

/// Refuses query parameters other than `known`, and any that comes twice.
void check_query(const http::Request& request, std::initializer_list<std::string_view> known);

}  // namespace recovery
