#include <algorithm>
#include <charconv>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/calls.hpp"
#include "recovery/api/parameters.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

namespace recovery {

namespace json = boost::json;
using dumpster::await_result;
using dumpster::Completion;

namespace {

constexpr std::uint64_t longest_cover_seconds = std::uint64_t{365} * 24 * 3600;

dumpster::Duration cover_in(const http::Request& request, dumpster::Duration otherwise) {
  for (const auto& [name, value] : request.query) {
    if (name != "cover_seconds") continue;
    std::uint64_t seconds = 0;
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, seconds);
    if (error != std::errc{} || stop != end || seconds == 0 || seconds > longest_cover_seconds)
      throw Refusal{400, "cover_seconds is a whole number of seconds up to a year", {{"field", name}}};
    return std::chrono::seconds{seconds};
  }
  return otherwise;
}

double seconds(dumpster::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

json::object document_of(const dumpster::Purged& purged, bool dry_run) {
  json::object document;
  document["dry_run"] = dry_run;
  document["messages"] = purged.messages;
  document["bytes"] = purged.bytes;
  document["kept"] = purged.kept;
  return document;
}

}  // namespace

Calls::Answer Calls::sizing(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto group = group_of(request);
  check_query(request, {"cover_seconds"});
  auto state = co_await group_state(group);
  const auto traffic = store_.traffic(group);
  if (!traffic) throw Refusal{traffic.error()};
  const auto now = co_await snapshot();
  const auto wanted = cover_in(request, state.limits.max_time);
  const auto needed = dumpster::size_needed(*traffic, now, wanted);
  auto document = recovery::document_of(state);
  document["max_bytes"] = state.limits.max_size;
  document["covers_seconds"] = seconds(std::max(now - state.covered_from, dumpster::Duration::zero()));
  document["wanted_seconds"] = seconds(wanted);
  document["needed_bytes"] = needed.bytes;
  document["measured_seconds"] = seconds(needed.measured);
  document["estimated"] = needed.measured < wanted;
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

boost::asio::awaitable<dumpster::Purged> Calls::purge_all(dumpster::PurgeRequest purge) {
  dumpster::Purged all;
  bool more = true;
  while (more) {
    auto start = [&](Completion<dumpster::Purged> done) { store_.purge(purge, std::move(done)); };
    auto piece = co_await await_result<dumpster::Purged>(start);
    if (!piece) throw Refusal{piece.error()};
    all.messages += piece->messages;
    all.bytes += piece->bytes;
    all.kept += piece->kept;
    more = piece->continue_from.has_value();
    if (more) purge.from = *piece->continue_from;
  }
  co_return all;
}

Calls::Answer Calls::purge(Caller /*caller*/, http::Request request, http::Responder& out) {
  dumpster::PurgeRequest purge;
  check_query(request, {"from", "until", "dry_run"});
  purge.group = group_of(request);
  // What is delivered from now on is not meant.
  const auto now = co_await snapshot();
  purge.until = now;
  for (const auto& [name, value] : request.query) {
    if (name == "from") purge.from = instant_from(name, value);
    if (name == "until") purge.until = std::min(now, instant_from(name, value));
    if (name == "dry_run") purge.dry_run = flag_from(name, value);
  }
  if (purge.until < purge.from) throw Refusal{400, "until is before from", {{"field", "until"}}};
  const auto purged = co_await purge_all(purge);
  auto answer = json_answer(200, document_of(purged, purge.dry_run));
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::purge_delivery(Caller /*caller*/, http::Request request, http::Responder& out) {
  dumpster::PurgeRequest purge;
  check_query(request, {"dry_run"});
  purge.group = group_of(request);
  purge.delivery_id = delivery_id_in(request);
  for (const auto& [name, value] : request.query)
    purge.dry_run = flag_from(name, value);
  const auto purged = co_await purge_all(purge);
  auto answer = json_answer(200, document_of(purged, purge.dry_run));
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::backup(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto directory = backup_from(request.body);
  check_query(request, {});
  auto start = [&](Completion<dumpster::BackupMade> done) { store_.backup(directory, std::move(done)); };
  auto made = co_await await_result<dumpster::BackupMade>(start);
  if (!made) throw Refusal{made.error()};
  json::object document;
  document["directory"] = directory.string();
  document["files"] = made->files;
  document["bytes"] = made->bytes;
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::verify(Caller /*caller*/, http::Request request, http::Responder& out) {
  json::object document;
  check_query(request, {});
  auto start = [&](Completion<dumpster::Verification> done) { store_.verify(std::move(done)); };
  auto found = co_await await_result<dumpster::Verification>(start);
  if (!found) throw Refusal{found.error()};
  document["sound"] = found->sound();
  document["messages"] = found->messages;
  document["spooled"] = found->spooled;
  document["deliveries"] = found->lines;
  document["chunks"] = found->chunks;
  json::array faults;
  for (const auto& fault : found->faults)
    faults.emplace_back(fault);
  document["faults"] = std::move(faults);
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

}  // namespace recovery
