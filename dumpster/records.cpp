#include "dumpster/records.hpp"

#include "dumpster/record_fields.hpp"

namespace dumpster {

std::string encode(const HubRecord& record) {
  Encoder out;
  out.number(record.format);  // stays the first field in every version, so that an older program can refuse
  out.uuid(record.store_id);
  out.instant(record.store_created);
  out.number(record.sequence);
  out.instant(record.last_time);
  out.flag(record.clean_shutdown);
  out.number(record.last_group);
  out.number(record.spool_messages);
  out.number(record.spool_bytes);
  return out.take();
}

Result<HubRecord> decode_hub(std::string_view payload) {
  std::uint64_t format = 0;
  try {
    format = Decoder{payload}.number();
  } catch (const Malformed& malformed) {
    return Error{Fault::damaged, malformed.what()};
  }
  if (format == 0 || format > format_version) {
    return Error{Fault::invalid, "the store has format " + std::to_string(format) +
                                     ", this program knows formats up to " + std::to_string(format_version)};
  }
  return decoded<HubRecord>(payload, [](Decoder& in, HubRecord& record) {
    record.format = in.number();
    record.store_id = in.uuid();
    record.store_created = in.instant();
    record.sequence = in.number();
    record.last_time = in.instant();
    record.clean_shutdown = in.flag();
    record.last_group = in.number32();
    record.spool_messages = in.number();
    record.spool_bytes = in.number();
  });
}

std::string encode(const ClusterRecord& record) {
  Encoder out;
  out.text(record.active);
  out.number(record.term);
  put_enumeration(out, record.kind);
  out.instant(record.activated_at);
  out.flag(record.recovered);
  out.number(record.agent_seen.size());
  for (const auto& [node, seen] : record.agent_seen) {
    out.text(node);
    out.instant(seen);
  }
  out.flag(record.held_until.has_value());
  if (record.held_until) out.instant(*record.held_until);
  return out.take();
}

Result<ClusterRecord> decode_cluster(std::string_view payload) {
  return decoded<ClusterRecord>(payload, [](Decoder& in, ClusterRecord& record) {
    record.active = in.text();
    record.term = in.number();
    record.kind = enumeration(in, ActivationKind::lossy, ActivationKind::lossless);
    record.activated_at = in.instant();
    record.recovered = in.flag();
    for (auto left = in.count(2); left > 0; --left) {
      auto node = in.text();
      const auto seen = in.instant();
      record.agent_seen.emplace_back(std::move(node), seen);
    }
    if (!in.at_end() && in.flag()) record.held_until = in.instant();
  });
}

std::string encode(const GroupRecord& record) {
  Encoder out;
  out.number(record.number);
  out.instant(record.created);
  out.number(record.messages);
  out.number(record.bytes);
  out.number(record.in_doubt);
  out.instant(record.covered_from);
  out.flag(record.retention_off);
  out.number(record.replicated.size());
  for (const auto& [node, through] : record.replicated) {
    out.text(node);
    out.instant(through);
  }
  return out.take();
}

Result<GroupRecord> decode_group(std::string_view payload) {
  return decode_group_of(format_version, payload);
}

Result<GroupRecord> decode_group_of(std::uint64_t format, std::string_view payload) {
  return decoded<GroupRecord>(payload, [format](Decoder& in, GroupRecord& record) {
    record.number = in.number32();
    record.created = in.instant();
    record.messages = in.number();
    record.bytes = in.number();
    record.in_doubt = in.number();
    record.covered_from = in.instant();
    record.retention_off = in.flag();
    if (format == 1) return;
    for (auto left = in.count(2); left > 0; --left) {
      auto node = in.text();
      const auto through = in.instant();
      record.replicated.push_back({std::move(node), through});
    }
  });
}

std::string encode(const Traffic& traffic) {
  Encoder out;
  out.instant(traffic.since());
  out.number(traffic.hours().size());
  for (const auto& hour : traffic.hours()) {
    out.instant(hour.begin);
    out.number(hour.messages);
    out.number(hour.bytes);
  }
  return out.take();
}

Result<Traffic> decode_traffic(std::string_view payload) {
  constexpr std::size_t least_bytes_an_hour = 3;
  return decoded<Traffic>(payload, [](Decoder& in, Traffic& traffic) {
    const auto since = in.instant();
    std::deque<Traffic::Hour> hours;
    for (auto left = in.count(least_bytes_an_hour); left > 0; --left) {
      Traffic::Hour hour;
      hour.begin = std::chrono::floor<std::chrono::hours>(in.instant());
      hour.messages = in.number();
      hour.bytes = in.number();
      if (!hours.empty() && hour.begin <= hours.back().begin) throw Malformed("hours are not in their order");
      hours.push_back(hour);
    }
    traffic = Traffic{since, std::move(hours)};
  });
}

}  // namespace dumpster
