#include "relay/server/load_gate.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using relay::LoadGate;
using relay::LoadGateSettings;
using relay::LoadSample;
using Reason = LoadGate::Reason;

namespace {

constexpr LoadGateSettings settings{1000, 5000, 10s};
constexpr LoadSample calm{true, 100'000, 100};

Reason look(LoadGate& gate, LoadSample sample, LoadGateSettings given = settings) {
  gate.look(sample, given);
  return gate.reason();
}

}  // namespace

TEST_CASE("a quiet machine takes mail") {
  LoadGate gate;
  CHECK_FALSE(gate.closed());
  CHECK(look(gate, calm) == Reason::none);
}

TEST_CASE("a disk that is nearly full refuses mail until a quarter more is free") {
  LoadGate gate;
  CHECK(look(gate, {true, 999, 100}) == Reason::disk);
  CHECK(look(gate, {true, 1249, 100}) == Reason::disk);
  CHECK(look(gate, {true, 1250, 100}) == Reason::none);
  CHECK(look(gate, {true, 1000, 100}) == Reason::none);
  CHECK(look(gate, {true, 0, 100}, {0, 0, 0ms}) == Reason::none);
}

TEST_CASE("too much memory refuses mail until a tenth is given back") {
  LoadGate gate;
  CHECK(look(gate, {true, 100'000, 5001}) == Reason::memory);
  CHECK(look(gate, {true, 100'000, 4501}) == Reason::memory);
  CHECK(look(gate, {true, 100'000, 4500}) == Reason::none);
}

TEST_CASE("slow commits refuse mail until three looks were calm") {
  LoadGate gate;
  gate.committed(11s);
  gate.committed(1s);
  CHECK(look(gate, calm) == Reason::commit_time);
  CHECK(look(gate, calm) == Reason::commit_time);
  gate.committed(6s);
  CHECK(look(gate, calm) == Reason::commit_time);
  CHECK(look(gate, calm) == Reason::commit_time);
  CHECK(look(gate, calm) == Reason::commit_time);
  CHECK(look(gate, calm) == Reason::none);
}

TEST_CASE("a store that cannot write refuses mail until it can") {
  LoadGate gate;
  CHECK(look(gate, {false, 100'000, 100}) == Reason::store);
  CHECK(look(gate, calm) == Reason::none);
}
