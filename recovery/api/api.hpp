#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/store.hpp"
#include "recovery/access/tokens.hpp"
#include "recovery/http/router.hpp"
#include "recovery/resubmission/runner.hpp"
#include "recovery/running_relay.hpp"

namespace recovery {

struct ApiSettings {
  std::string hub;      ///< the hub's name
  std::string version;  ///< of the program
  std::vector<dumpster::ClusterDefinition> clusters;
  dumpster::Duration resubmit_lifetime = std::chrono::hours{24};
  dumpster::Instant started_at{};
  ResubmissionRunner* resubmissions = nullptr;  ///< keeps them going; none: somebody else does
};

/// The recovery API of the hub on its store and the relay that runs beside it. README.md lists the calls.
/// Everything is called on the thread that serves HTTP; store and relay must outlive the API, and the API
/// every server that has its routes.
class Api {
 public:
  /// Gives the tokens that count now; never null.
  using TokenSource = std::function<std::shared_ptr<const Tokens>()>;

  Api(dumpster::Store& store, RunningRelay& relay, ApiSettings settings);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// The calls of the contract, for whoever has a token.
  void add_routes(http::Router& router, TokenSource tokens);
  /// The same without a token and with the role admin, and the operator's own (status, sizing, purge): for a
  /// socket that only the operator reaches.
  void add_operator_routes(http::Router& router);

 private:
  struct Entrance;
  void add_calls(http::Router& router, const std::shared_ptr<Entrance>& entrance, bool operators);

  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace recovery
