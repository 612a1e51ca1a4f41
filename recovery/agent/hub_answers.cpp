#include "recovery/agent/hub_answers.hpp"

#include <boost/json.hpp>
#include <stdexcept>

namespace recovery::agent {
namespace {

namespace json = boost::json;

/// Leaves a reader from any depth; caught by `strictly`.
struct Malformed {
  std::string detail;
};

json::value parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = 16;
  json::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) throw Malformed{"the answer is not JSON: " + error.message()};
  return value;
}

/// An object of an answer; each call gives one field or leaves the reader.
class Fields {
 public:
  explicit Fields(const json::value& value) : object_(value.if_object()) {
    if (object_ == nullptr) throw Malformed{"the answer is not an object"};
  }

  const json::value* find(std::string_view name) const { return object_->if_contains(name); }

  const json::value& field(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) throw wrong(name, "is missing");
    return *value;
  }

  std::string text(std::string_view name) const {
    const json::string* value = field(name).if_string();
    if (value == nullptr) throw wrong(name, "is not a string");
    return std::string{value->data(), value->size()};
  }

  std::uint64_t number(std::string_view name) const {
    json::error_code error;
    const auto value = field(name).to_number<std::uint64_t>(error);
    if (error || field(name).is_double()) throw wrong(name, "is not a whole number");
    return value;
  }

  std::uint64_t number_or_zero(std::string_view name) const {
    return find(name) == nullptr ? 0 : number(name);
  }

  bool truth(std::string_view name) const {
    const bool* value = field(name).if_bool();
    if (value == nullptr) throw wrong(name, "is neither true nor false");
    return *value;
  }

  Instant instant(std::string_view name) const {
    const auto value = dumpster::from_rfc3339(text(name));
    if (!value) throw wrong(name, "is not a time");
    return *value;
  }

  std::optional<Instant> instant_or_nothing(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return instant(name);
  }

  std::optional<dumpster::Duration> seconds_or_nothing(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    json::error_code error;
    const auto seconds = value->to_number<double>(error);
    constexpr double most = 1e9;  // 30 years
    if (error || !(seconds >= 0 && seconds <= most)) throw wrong(name, "is not a number of seconds");
    return std::chrono::duration_cast<dumpster::Duration>(std::chrono::duration<double>(seconds));
  }

  const json::array& array(std::string_view name) const {
    const json::array* value = field(name).if_array();
    if (value == nullptr) throw wrong(name, "is not an array");
    return *value;
  }

  std::vector<dumpster::Uuid> uuids(std::string_view name) const {
    std::vector<dumpster::Uuid> ids;
    for (const json::value& entry : array(name)) {
      const auto id =
          entry.is_string() ? dumpster::uuid_from(std::string_view{entry.get_string()}) : std::nullopt;
      if (!id) throw wrong(name, "is not an array of UUIDs");
      ids.push_back(*id);
    }
    return ids;
  }

  static Malformed wrong(std::string_view name, std::string_view how) {
    return {"`" + std::string{name} + "` in the answer " + std::string{how}};
  }

 private:
  const json::object* object_;
};

HubError malformed(std::string detail) {
  HubError error;
  error.kind = HubError::Kind::malformed;
  error.detail = std::move(detail);
  return error;
}

template <class Read>
auto strictly(std::string_view text, Read read) -> HubResult<decltype(read(std::declval<Fields>()))> {
  try {
    const json::value value = parse(text);
    return read(Fields{value});
  } catch (const Malformed& fault) {
    return malformed(fault.detail);
  }
}

ListedDelivery delivery_of(const Fields& fields) {
  ListedDelivery line;
  const auto id = dumpster::uuid_from(fields.text("delivery_id"));
  if (!id) throw Fields::wrong("delivery_id", "is not a UUID");
  line.delivery_id = *id;
  if (fields.find("message_id") != nullptr) line.message_id = fields.text("message_id");
  line.delivered_at = fields.instant("delivered_at");
  line.node = fields.text("node");
  line.term = fields.number("term");
  const std::uint64_t attempt = fields.number("attempt");
  if (attempt > UINT32_MAX) throw Fields::wrong("attempt", "is too large");
  line.attempt = static_cast<std::uint32_t>(attempt);
  const auto state = dumpster::delivery_state_from(fields.text("state"));
  if (!state) throw Fields::wrong("state", "is not a known one");
  line.state = *state;
  for (const json::value& entry : fields.array("recipients")) {
    const Fields recipient{entry};
    line.recipients.push_back({recipient.text("address"), recipient.text("mailbox")});
  }
  if (line.recipients.empty()) throw Fields::wrong("recipients", "is empty");
  return line;
}

GroupStatus group_of(const Fields& fields) {
  GroupStatus group;
  group.name = fields.text("name");
  group.in_doubt = fields.number_or_zero("in_doubt");
  group.messages = fields.number_or_zero("messages");
  group.bytes = fields.number_or_zero("bytes");
  group.oldest = fields.instant_or_nothing("oldest");
  group.covered_from = fields.instant_or_nothing("covered_from");
  group.max_time = fields.seconds_or_nothing("max_seconds");
  return group;
}

ListingEnd end_of(const Fields& fields) {
  ListingEnd end;
  end.covered_from = fields.instant("covered_from");
  end.complete = fields.truth("complete");
  end.store_id = fields.text("store_id");
  end.store_created = fields.instant("store_created");
  end.now = fields.instant("now");
  end.count = fields.number("count");
  return end;
}

}  // namespace

void throw_exception_from_error(const HubError& error, const boost::source_location&) {
  throw std::runtime_error(error.detail);
}

HubResult<HubIdentity> identity_from(std::string_view text) {
  return strictly(text, [](const Fields& fields) {
    HubIdentity identity;
    identity.hub = fields.text("hub");
    identity.now = fields.instant("now");
    identity.store_id = fields.text("store_id");
    identity.store_created = fields.instant("store_created");
    identity.sequence = fields.number("sequence");
    return identity;
  });
}

HubResult<ClusterStatus> cluster_from(std::string_view text) {
  return strictly(text, [](const Fields& fields) {
    ClusterStatus status;
    for (const json::value& node : fields.array("nodes")) {
      if (!node.is_string()) throw Fields::wrong("nodes", "is not an array of strings");
      status.nodes.emplace_back(node.get_string());
    }
    status.active = fields.text("active");
    status.term = fields.number("term");
    for (const json::value& entry : fields.array("storage_groups")) {
      status.groups.push_back(group_of(Fields{entry}));
    }
    if (status.nodes.empty()) throw Fields::wrong("nodes", "is empty");
    return status;
  });
}

HubResult<ActivationAnswer> activation_from(std::string_view text) {
  return strictly(text, [](const Fields& fields) {
    ActivationAnswer answer;
    answer.active = fields.text("active");
    answer.term = fields.number("term");
    answer.now = fields.instant("now");
    return answer;
  });
}

HubResult<ResubmissionAnswer> resubmission_from(std::string_view text) {
  return strictly(text, [](const Fields& fields) {
    ResubmissionAnswer answer;
    answer.id = fields.text("id");
    answer.matched = fields.number("matched");
    answer.delivered = fields.number_or_zero("delivered");
    answer.failed = fields.number_or_zero("failed");
    if (fields.find("state") != nullptr) answer.state = fields.text("state");
    if (fields.find("not_found") != nullptr) answer.not_found = fields.uuids("not_found");
    return answer;
  });
}

HubResult<std::variant<ListedDelivery, ListingEnd>> listing_line_from(std::string_view text) {
  return strictly(text, [](const Fields& fields) -> std::variant<ListedDelivery, ListingEnd> {
    if (fields.find("delivery_id") != nullptr) return delivery_of(fields);
    return end_of(fields);
  });
}

HubError refusal_from(unsigned status, std::string_view body) {
  HubError error;
  const bool later = status == 429 || (status >= 502 && status <= 504);
  error.kind = later ? HubError::Kind::unreachable : HubError::Kind::refused;
  error.status = status;
  error.detail = "the hub answered " + std::to_string(status);
  try {
    const json::value value = parse(body);
    const Fields fields{value};
    for (const std::string_view name : {"title", "detail"}) {
      if (fields.find(name) != nullptr) error.detail += ": " + fields.text(name);
    }
    if (fields.find("active") != nullptr) error.active = fields.text("active");
    if (fields.find("term") != nullptr) error.term = fields.number("term");
  } catch (const Malformed&) {
    // A refusal needs no explanation to be one.
  }
  return error;
}

}  // namespace recovery::agent
