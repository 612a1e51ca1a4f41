#include <openssl/evp.h>

#include <stdexcept>

#include "dumpster/record_fields.hpp"
#include "dumpster/records.hpp"

namespace dumpster {

std::string encode(const Resubmission& record) {
  Encoder out;
  out.text(record.key);
  out.text(record.group.cluster);
  out.text(record.group.group);
  out.number(record.term);
  put_enumeration(out, record.state);
  out.instant(record.from);
  out.instant(record.until);
  out.instant(record.created_at);
  out.number(record.matched);
  out.number(record.resubmitted);
  out.number(record.delivered);
  out.number(record.failed);
  out.number(record.cancelled);
  out.instant(record.covered_from);
  out.flag(record.complete);
  return out.take();
}

Result<Resubmission> decode_resubmission(const Uuid& id, std::string_view payload) {
  return decoded<Resubmission>(payload, [&id](Decoder& in, Resubmission& record) {
    record.id = id;
    record.key = in.text();
    record.group.cluster = in.text();
    record.group.group = in.text();
    record.term = in.number();
    record.state = enumeration(in, ResubmissionState::running, ResubmissionState::cancelled);
    record.from = in.instant();
    record.until = in.instant();
    record.created_at = in.instant();
    record.matched = in.number();
    record.resubmitted = in.number();
    record.delivered = in.number();
    record.failed = in.number();
    record.cancelled = in.number();
    record.covered_from = in.instant();
    record.complete = in.flag();
  });
}

std::string encode(const ResubmissionPlan& plan) {
  Encoder out;
  out.flag(plan.choosing);
  out.flag(plan.by_items);
  out.number(static_cast<std::uint64_t>(plan.lifetime.count()));
  out.number(plan.present);
  out.text(plan.recipient);
  out.text(plan.message_id);
  out.instant(plan.next);
  out.instant(plan.end);
  return out.take();
}

Result<ResubmissionPlan> decode_plan(std::string_view payload) {
  return decoded<ResubmissionPlan>(payload, [](Decoder& in, ResubmissionPlan& plan) {
    plan.choosing = in.flag();
    plan.by_items = in.flag();
    plan.lifetime = Duration{static_cast<std::int64_t>(in.number())};
    plan.present = in.number();
    plan.recipient = in.text();
    plan.message_id = in.text();
    plan.next = in.instant();
    plan.end = in.instant();
  });
}

std::string encode(const ResubmissionKeyRecord& record) {
  Encoder out;
  out.uuid(record.id);
  for (const auto byte : record.digest)
    out.byte(byte);
  return out.take();
}

Result<ResubmissionKeyRecord> decode_resubmission_key(std::string_view payload) {
  return decoded<ResubmissionKeyRecord>(payload, [](Decoder& in, ResubmissionKeyRecord& record) {
    record.id = in.uuid();
    for (auto& byte : record.digest)
      byte = in.byte();
  });
}

std::string encode(const std::vector<Uuid>& ids) {
  Encoder out;
  out.number(ids.size());
  for (const auto& id : ids)
    out.uuid(id);
  return out.take();
}

Result<std::vector<Uuid>> decode_ids(std::string_view payload) {
  return decoded<std::vector<Uuid>>(payload, [](Decoder& in, std::vector<Uuid>& ids) {
    for (auto left = in.count(16); left > 0; --left)
      ids.push_back(in.uuid());
  });
}

Digest digest_of(const ResubmissionRequest& request) {
  Encoder out;
  out.text(request.group.cluster);
  out.text(request.group.group);
  out.instant(request.from);
  out.instant(request.until);
  out.flag(request.node.has_value());
  if (request.node) out.text(*request.node);
  out.flag(request.term.has_value());
  if (request.term) out.number(*request.term);
  out.flag(request.items.has_value());
  if (request.items) {
    out.number(request.items->size());
    for (const auto& item : *request.items) {
      out.uuid(item.delivery_id);
      out.flag(item.attempt.has_value());
      if (item.attempt) out.number(*item.attempt);
      out.number(item.recipients.size());
      for (const auto& recipient : item.recipients)
        out.text(recipient);
      put_enumeration(out, item.outcome);
    }
  }
  out.text(request.recipient);
  out.text(request.message_id);
  const auto bytes = out.take();
  Digest digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

}  // namespace dumpster
