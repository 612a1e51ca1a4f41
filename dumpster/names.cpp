#include <array>
#include <stdexcept>
#include <utility>

#include "dumpster/cluster.hpp"
#include "dumpster/delivery.hpp"
#include "dumpster/error.hpp"
#include "dumpster/resubmission.hpp"

namespace dumpster {
namespace {

template <class Enum, std::size_t Size>
using Names = std::array<std::pair<Enum, std::string_view>, Size>;

constexpr Names<DeliveryState, 5> delivery_states{{{DeliveryState::delivered, "delivered"},
                                                   {DeliveryState::in_doubt, "in_doubt"},
                                                   {DeliveryState::absent, "absent"},
                                                   {DeliveryState::resubmitting, "resubmitting"},
                                                   {DeliveryState::failed, "failed"}}};
constexpr Names<ActivationKind, 2> activation_kinds{
    {{ActivationKind::lossy, "lossy"}, {ActivationKind::lossless, "lossless"}}};
constexpr Names<ResubmissionState, 4> resubmission_states{{{ResubmissionState::running, "running"},
                                                           {ResubmissionState::paused, "paused"},
                                                           {ResubmissionState::completed, "completed"},
                                                           {ResubmissionState::cancelled, "cancelled"}}};
constexpr Names<Fault, 5> faults{{{Fault::unavailable, "unavailable"},
                                  {Fault::damaged, "damaged"},
                                  {Fault::not_found, "not found"},
                                  {Fault::conflict, "conflict"},
                                  {Fault::invalid, "invalid"}}};

template <class Enum, std::size_t Size>
std::string_view name_of(const Names<Enum, Size>& names, Enum value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "unknown";
}

template <class Enum, std::size_t Size>
std::optional<Enum> value_of(const Names<Enum, Size>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(DeliveryState state) {
  return name_of(delivery_states, state);
}
std::optional<DeliveryState> delivery_state_from(std::string_view text) {
  return value_of(delivery_states, text);
}
std::string_view to_string(ActivationKind kind) {
  return name_of(activation_kinds, kind);
}
std::optional<ActivationKind> activation_kind_from(std::string_view text) {
  return value_of(activation_kinds, text);
}
std::string_view to_string(ResubmissionState state) {
  return name_of(resubmission_states, state);
}
std::string_view to_string(Fault fault) {
  return name_of(faults, fault);
}

bool ClusterState::has_agent() const {
  for (const auto& [node, seen] : agent_seen) {
    if (node == active) return true;
  }
  return false;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(std::string{to_string(error.fault)} + ": " + error.detail);
}

}  // namespace dumpster
