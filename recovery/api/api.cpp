#include "recovery/api/api.hpp"

#include <utility>

#include "recovery/api/calls.hpp"
#include "recovery/api/refusal.hpp"

namespace recovery {
namespace {

constexpr std::size_t small_body = std::size_t{64} * 1024;
constexpr std::size_t large_body = std::size_t{16} * 1024 * 1024;

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  }
  return true;
}

[[noreturn]] void refuse_token(std::string_view detail, std::string_view challenge) {
  Refusal refusal{401, detail};
  refusal.response().fields.emplace_back("WWW-Authenticate", challenge);
  throw refusal;
}

/// RFC 6750 2.1 and 3.
Identity identity_of(const http::Request& request, const Tokens& tokens) {
  auto value = request.field("Authorization").value_or("");
  const auto blank = value.find(' ');
  if (blank == std::string_view::npos || !same_word(value.substr(0, blank), "Bearer")) {
    refuse_token("a token is wanted: Authorization: Bearer TOKEN", "Bearer realm=\"dumpster\"");
  }
  value.remove_prefix(blank);
  while (!value.empty() && value.front() == ' ')
    value.remove_prefix(1);
  const auto identity = tokens.find(value);
  if (!identity)
    refuse_token("this token is not known", "Bearer realm=\"dumpster\", error=\"invalid_token\"");
  return *identity;
}

}  // namespace

/// How callers come in: with a token, or as the operator.
struct Api::Entrance {
  TokenSource tokens;  ///< empty: everyone here is the operator
};

class Api::Implementation {
 public:
  Implementation(dumpster::Store& store, RunningRelay& relay, ApiSettings settings)
      : calls(store, relay, std::move(settings)) {}

  using Call = Calls::Answer (Calls::*)(Caller, http::Request, http::Responder&);

  http::Handler handler(std::shared_ptr<Entrance> entrance, Action action, Call call) {
    return [this, entrance = std::move(entrance), action, call](http::Request request, http::Responder& out) {
      return serve(entrance, action, call, std::move(request), out);
    };
  }

  Calls calls;

 private:
  Calls::Answer serve(std::shared_ptr<Entrance> entrance, Action action, Call call, http::Request request,
                      http::Responder& out) {
    std::optional<http::Response> refusal;
    try {
      auto caller = admit(*entrance, action, request);
      co_await (calls.*call)(std::move(caller), std::move(request), out);
    } catch (const Refusal& refused) {
      if (out.begun()) throw;  // cuts the stream, with its reason in the log
      refusal = refused.response();
    }
    if (refusal) {
      co_await out.send(std::move(*refusal));
    }
  }

  /// Authentication, scope, role; then what the path names has to exist. An agent counts as heard from here
  /// on.
  Caller admit(const Entrance& entrance, Action action, const http::Request& request) {
    Caller caller;
    caller.identity.role = Role::admin;
    if (entrance.tokens) caller.identity = identity_of(request, *entrance.tokens());
    const auto& scope = caller.identity.scope;
    const auto& cluster = request.parameter("c");
    // A path without a cluster shows, or is checked by its call for, what the scope covers.
    if (const auto reason = denied(caller.identity, action, cluster.empty() ? scope.cluster : cluster)) {
      throw Refusal{403, *reason};
    }
    calls.require_known(request);
    if (caller.identity.role != Role::agent) return caller;
    caller.node = request.field("Dumpster-Node").value_or(scope.node);
    if (!scope.node.empty() && caller.node != scope.node)
      throw Refusal{403, "this token is for another node"};
    const auto& place = cluster.empty() ? scope.cluster : cluster;
    if (!caller.node.empty() && !place.empty()) {
      calls.require_known_node(place, caller.node);
      calls.heard(place, caller.node);
    }
    return caller;
  }
};

Api::Api(dumpster::Store& store, RunningRelay& relay, ApiSettings settings)
    : implementation_(std::make_unique<Implementation>(store, relay, std::move(settings))) {}

Api::~Api() = default;

void Api::add_routes(http::Router& router, TokenSource tokens) {
  auto entrance = std::make_shared<Entrance>();
  entrance->tokens = std::move(tokens);
  add_calls(router, std::move(entrance));
}

void Api::add_operator_routes(http::Router& router) {
  auto entrance = std::make_shared<Entrance>();
  const auto add = [&](const char* method, const std::string& path, Implementation::Call call) {
    router.add(method, path, implementation_->handler(entrance, Action::administer, call));
  };
  add("GET", "/v1/status", &Calls::status);
  const std::string group = "/v1/clusters/{c}/storage-groups/{g}";
  add("GET", group + "/sizing", &Calls::sizing);
  add("DELETE", group + "/deliveries", &Calls::purge);
  add("DELETE", group + "/deliveries/{id}", &Calls::purge_delivery);
  add_calls(router, std::move(entrance));
}

void Api::add_calls(http::Router& router, std::shared_ptr<Entrance> entrance) {
  const auto add = [&](const char* method, const std::string& path, Action action, Implementation::Call call,
                       std::size_t max_body = 0) {
    router.add(method, path, implementation_->handler(entrance, action, call), max_body);
  };
  const std::string cluster = "/v1/clusters/{c}";
  const std::string group = cluster + "/storage-groups/{g}";
  add("GET", "/v1/hub", Action::look, &Calls::hub);
  add("GET", cluster, Action::look, &Calls::cluster);
  add("POST", cluster + "/activations", Action::activate, &Calls::activate, small_body);
  add("POST", cluster + "/hold", Action::administer, &Calls::hold, small_body);
  add("POST", cluster + "/release", Action::administer, &Calls::release, small_body);
  add("POST", cluster + "/recovered", Action::report, &Calls::recovered, small_body);
  add("GET", group + "/deliveries", Action::look, &Calls::deliveries);
  add("GET", group + "/deliveries/{id}/message", Action::read_message, &Calls::message);
  add("POST", group + "/absent", Action::report, &Calls::absent, large_body);
  add("POST", group + "/resubmissions", Action::resubmit, &Calls::resubmit, large_body);
  add("PUT", group + "/replicated", Action::report, &Calls::not_in_this_version, small_body);
  add("GET", "/v1/resubmissions", Action::look, &Calls::resubmissions);
  add("GET", "/v1/resubmissions/{id}", Action::look, &Calls::resubmission);
  add("DELETE", "/v1/resubmissions/{id}", Action::cancel, &Calls::cancel);
}

}  // namespace recovery
