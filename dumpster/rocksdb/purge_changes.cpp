#include "dumpster/rocksdb/purge_changes.hpp"

#include <algorithm>

#include "dumpster/rocksdb/lines.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_looked_at = 1000;

/// Counts a line to one side or the other; gives whether it goes.
bool weigh(const Delivery& line, Purged& purged) {
  if (is_pending(line)) {
    ++purged.kept;
    return false;
  }
  ++purged.messages;
  purged.bytes += line.size;
  return true;
}

std::vector<LineRecord> window_lines(const Change& change, const PurgeRequest& request, Purged& purged) {
  std::vector<LineRecord> going;
  const auto number = change.group(request.group).record.number;
  std::size_t looked_at = 0;
  change.walk(Family::lines, key::line(number, request.from), key::line(number, request.until),
              [&](std::string_view key, std::string_view payload) {
                const auto time = key::delivered_at(key);
                if (looked_at++ == most_looked_at) {
                  purged.continue_from = time;
                  return false;
                }
                auto line = value_or_refuse(decode_line(time, payload));
                if (weigh(line.line, purged)) going.push_back(std::move(line));
                return true;
              });
  return going;
}

std::vector<LineRecord> delivery_lines(const Change& change, const PurgeRequest& request, Purged& purged) {
  auto lines = lines_of(change, request.group, *request.delivery_id);
  if (lines.empty()) throw Refused{{Fault::not_found, "there is no such delivery"}};
  std::erase_if(lines, [&](const LineRecord& line) { return !weigh(line.line, purged); });
  return lines;
}

}  // namespace

Purged purge(Change& change, const PurgeRequest& request) {
  change.group(request.group);  // refuses what is not configured
  Purged purged;
  const bool window = !request.delivery_id;
  if (window && request.until <= request.from) return purged;
  const auto going = window ? window_lines(change, request, purged) : delivery_lines(change, request, purged);
  if (request.dry_run || going.empty()) return purged;
  for (const auto& line : going) {
    remove_line(change, request.group, line);
    if (!window) continue;
    auto& covered_from = change.edit_group(request.group).record.covered_from;
    covered_from = std::max(covered_from, line.line.delivered_at + Duration{1});
  }
  change.counted().removed[{request.group, "operator"}] += going.size();
  return purged;
}

}  // namespace dumpster::rocks
