#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "recovery/http/large_bodies.hpp"
#include "recovery/http/router.hpp"
#include "recovery/http/wire.hpp"

namespace recovery::http {

/// Whether a body that is still to come is read. A small one always is, up to what its route takes; a large
/// one only for those who may send it, and while there is room for it.
struct BodyAdmission {
  std::optional<Response> refusal;  ///< instead of reading it
  LargeBodies::Room room;           ///< to be held until the request is answered
};
BodyAdmission admit_body(const Parser& parser, const Router::Match& match, std::string_view target,
                         const std::string& peer, LargeBodies& bodies);

}  // namespace recovery::http
