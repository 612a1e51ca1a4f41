#include "recovery/api/api.hpp"

#include <utility>

#include "recovery/api/calls.hpp"
#include "recovery/api/operations.hpp"
#include "recovery/api/refusal.hpp"

namespace recovery {
namespace {

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

  /// Whether the body is worth reading: a stranger does not fill the memory.
  http::Guard guard(std::shared_ptr<Entrance> entrance, Action action) {
    return [this, entrance = std::move(entrance),
            action](const http::Request& head) -> std::optional<http::Response> {
      try {
        admit(*entrance, action, head);
        return std::nullopt;
      } catch (const Refusal& refused) {
        return refused.response();
      }
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
  /// on, unless it leaves its `Dumpster-Node` empty: then it is in touch for no node.
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
    if (!scope.node.empty() && !caller.node.empty() && caller.node != scope.node)
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
  add_calls(router, entrance, false);
}

void Api::add_operator_routes(http::Router& router) {
  add_calls(router, std::make_shared<Entrance>(), true);
}

void Api::add_calls(http::Router& router, const std::shared_ptr<Entrance>& entrance, bool operators) {
  for (const auto& operation : operations()) {
    if (operation.operator_only && !operators) continue;
    http::Router::Route route;
    route.method = operation.method;
    route.max_body = operation.max_body;
    route.handler = implementation_->handler(entrance, operation.action, operation.call);
    route.guard = implementation_->guard(entrance, operation.action);
    router.add(operation.path, std::move(route));
  }
}

}  // namespace recovery
