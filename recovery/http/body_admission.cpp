#include "recovery/http/body_admission.hpp"

namespace recovery::http {
namespace {

constexpr std::size_t modest_body = std::size_t{64} * 1024;

}  // namespace

BodyAdmission admit_body(const Parser& parser, const Router::Match& match, std::string_view target,
                         const std::string& peer, LargeBodies& bodies) {
  BodyAdmission admission;
  const auto* found = std::get_if<Router::Found>(&match);
  if (found == nullptr || parser.is_done()) return admission;
  const auto declared = parser.content_length();
  const auto size = declared ? *declared : std::uint64_t{found->route->max_body};
  // What is declared to be too large is refused without reading, whoever sends it.
  if (size <= modest_body || size > found->route->max_body) return admission;
  if (found->route->guard) {
    auto head = head_from(parser, target, peer);
    head.parameters = found->parameters;
    admission.refusal = found->route->guard(head);
    if (admission.refusal) return admission;
  }
  admission.room = bodies.take(size);
  if (!admission.room) {
    admission.refusal = problem(503, "too many large requests at once");
    admission.refusal->fields.emplace_back("Retry-After", "1");
  }
  return admission;
}

}  // namespace recovery::http
