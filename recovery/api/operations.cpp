#include "recovery/api/operations.hpp"

namespace recovery {
namespace {

constexpr std::size_t small_body = std::size_t{64} * 1024;
constexpr std::size_t large_body = std::size_t{16} * 1024 * 1024;
constexpr bool operator_only = true;

}  // namespace

const std::vector<Operation>& operations() {
#define CLUSTER "/v1/clusters/{c}"
#define GROUP CLUSTER "/storage-groups/{g}"
  static const std::vector<Operation> all{
      {"GET", "/v1/hub", Action::look, &Calls::hub},
      {"GET", "/v1/openapi.json", Action::look, &Calls::description},
      {"GET", CLUSTER, Action::look, &Calls::cluster},
      {"POST", CLUSTER "/activations", Action::activate, &Calls::activate, small_body},
      {"POST", CLUSTER "/hold", Action::administer, &Calls::hold, small_body},
      {"POST", CLUSTER "/release", Action::administer, &Calls::release, small_body},
      {"POST", CLUSTER "/recovered", Action::report, &Calls::recovered, small_body},
      {"GET", GROUP "/deliveries", Action::look, &Calls::deliveries},
      {"GET", GROUP "/deliveries/{id}/message", Action::read_message, &Calls::message},
      {"POST", GROUP "/absent", Action::report, &Calls::absent, large_body},
      {"POST", GROUP "/resubmissions", Action::resubmit, &Calls::resubmit, large_body},
      {"PUT", GROUP "/replicated", Action::report, &Calls::replicated, small_body},
      {"GET", "/v1/resubmissions", Action::look, &Calls::resubmissions},
      {"GET", "/v1/resubmissions/{id}", Action::look, &Calls::resubmission},
      {"DELETE", "/v1/resubmissions/{id}", Action::cancel, &Calls::cancel},
      {"GET", "/v1/status", Action::administer, &Calls::status, 0, operator_only},
      {"GET", "/v1/queue", Action::administer, &Calls::queue, 0, operator_only},
      {"POST", "/v1/queue/hold", Action::administer, &Calls::change_queue, small_body, operator_only},
      {"POST", "/v1/queue/release", Action::administer, &Calls::change_queue, small_body, operator_only},
      {"POST", "/v1/queue/retry", Action::administer, &Calls::change_queue, small_body, operator_only},
      {"POST", "/v1/queue/delete", Action::administer, &Calls::change_queue, small_body, operator_only},
      {"GET", "/v1/trace", Action::administer, &Calls::trace, 0, operator_only},
      {"POST", "/v1/backup", Action::administer, &Calls::backup, small_body, operator_only},
      {"POST", "/v1/verification", Action::administer, &Calls::verify, 0, operator_only},
      {"GET", GROUP "/sizing", Action::administer, &Calls::sizing, 0, operator_only},
      {"DELETE", GROUP "/deliveries", Action::administer, &Calls::purge, 0, operator_only},
      {"DELETE", GROUP "/deliveries/{id}", Action::administer, &Calls::purge_delivery, 0, operator_only},
  };
#undef GROUP
#undef CLUSTER
  return all;
}

}  // namespace recovery
