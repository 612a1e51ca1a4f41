#include "store_fixture.hpp"

#include "dumpster/verify.hpp"

namespace dumpster::testing {

StoreFixture::StoreFixture() {
  reopen();
}

StoreFixture::~StoreFixture() {
  if (!store_) return;
  shut();
  verify();
}

RocksDbStoreOptions StoreFixture::options() const {
  RocksDbStoreOptions options;
  options.path = path();
  options.clock = &clock_;
  options.metrics = metrics;
  ClusterDefinition cluster;
  cluster.name = "ccr1";
  cluster.nodes = {"node1", "node2"};
  cluster.first_active = "node1";
  cluster.storage_groups = {{"sg1", limits_}, {"sg2", limits_}};
  options.clusters = {cluster};
  return options;
}

void StoreFixture::shut(bool clean) {
  if (store_ && clean) store_->close();
  store_.reset();
}

void StoreFixture::reopen(bool clean) {
  if (store_) {
    shut(clean);
    verify();
  }
  auto opened = try_open();
  if (!opened) throw std::runtime_error(opened.error().detail);
  store_ = std::move(*opened);
}

void StoreFixture::verify() {
  const auto verification = verify_store(path());
  if (!verification) {
    FAIL_CHECK(verification.error().detail);
    return;
  }
  for (const auto& fault : verification->faults)
    FAIL_CHECK(fault);
}

std::string StoreFixture::body_of(const Message& message) {
  const std::string key = to_string(message.key);
  std::string body;
  body.reserve(message.size + key.size());
  while (body.size() < message.size)
    body += key;
  body.resize(message.size);
  return body;
}

NewMessage StoreFixture::new_message(std::vector<std::string> recipients, std::size_t size) {
  NewMessage made;
  auto& message = made.message;
  message.key = new_uuid(clock_.now());
  message.received_at = clock_.now();
  message.message_id = to_string(message.key) + "@example.test";
  message.size = size;
  message.chunks = static_cast<std::uint32_t>((size + body_chunk_size - 1) / body_chunk_size);
  message.envelope.sender = "sender@example.test";
  for (auto& address : recipients) {
    Recipient recipient;
    recipient.address = address;
    recipient.original_address = std::move(address);
    message.envelope.recipients.push_back(std::move(recipient));
  }
  if (message.chunks <= 1) made.body = body_of(message);
  return made;
}

Message StoreFixture::accept(std::vector<std::string> recipients, std::size_t size) {
  auto made = new_message(std::move(recipients), size);
  const auto message = made.message;
  if (message.chunks > 1) {
    const auto body = body_of(message);
    for (std::uint32_t i = 0; i < message.chunks; ++i) {
      auto chunk = body.substr(i * body_chunk_size, body_chunk_size);
      wait_value<Done>(
          [&](auto done) { store_->append_body(message.key, i, std::move(chunk), std::move(done)); });
    }
  }
  wait_value<Done>([&](auto done) { store_->accept(std::move(made), std::move(done)); });
  return message;
}

AttemptOutcome StoreFixture::outcome(const Message& message, std::vector<std::uint32_t> indices,
                                     RecipientOutcome::Kind kind, std::optional<StorageGroup> group,
                                     std::uint32_t attempt) {
  AttemptOutcome made;
  made.message = message.key;
  made.attempt = attempt;
  if (group) made.target = AttemptTarget{*group, node, term};
  for (const auto index : indices) {
    RecipientOutcome recipient;
    recipient.index = index;
    recipient.kind = kind;
    recipient.mailbox = "mailbox-of-" + message.envelope.recipients.at(index).address;
    recipient.next_attempt = clock_.now() + 60s;
    made.recipients.push_back(std::move(recipient));
  }
  return made;
}

AttemptRecorded StoreFixture::record(AttemptOutcome outcome) {
  return wait_value<AttemptRecorded>([&](auto done) { store_->record(std::move(outcome), std::move(done)); });
}

namespace {
std::vector<std::uint32_t> all_of(const Message& message) {
  std::vector<std::uint32_t> indices;
  for (std::uint32_t i = 0; i < message.envelope.recipients.size(); ++i)
    indices.push_back(i);
  return indices;
}
}  // namespace

void StoreFixture::deliver(const Message& message, const StorageGroup& group, std::uint32_t attempt) {
  record(outcome(message, all_of(message), RecipientOutcome::Kind::delivered, group, attempt));
}

void StoreFixture::put_in_doubt(const Message& message, const StorageGroup& group, std::uint32_t attempt) {
  record(outcome(message, all_of(message), RecipientOutcome::Kind::in_doubt, group, attempt));
}

ActivationResult StoreFixture::activate(std::string active, std::uint64_t new_term, bool by_agent) {
  Activation activation;
  activation.cluster = "ccr1";
  activation.node = std::move(active);
  activation.term = new_term;
  activation.by_agent = by_agent;
  return wait_value<ActivationResult>([&](auto done) { store_->activate(activation, std::move(done)); });
}

ResubmissionRequest StoreFixture::window(std::string key, const StorageGroup& group) {
  ResubmissionRequest request;
  request.key = std::move(key);
  request.group = group;
  request.until = clock_.now() + 24h;
  request.lifetime = 24h;
  return request;
}

ResubmissionRequest StoreFixture::items(std::string key, std::vector<ResubmissionItem> named,
                                        const StorageGroup& group) {
  auto request = window(std::move(key), group);
  request.items = std::move(named);
  return request;
}

ResubmissionAccepted StoreFixture::accept_resubmission(ResubmissionRequest request) {
  return wait_value<ResubmissionAccepted>(
      [&](auto done) { store_->resubmit(std::move(request), std::move(done)); });
}

ResubmissionAccepted StoreFixture::resubmit(ResubmissionRequest request) {
  auto accepted = accept_resubmission(std::move(request));
  const bool goes_on = !accepted.repeated && accepted.resubmission.state == ResubmissionState::running;
  if (!goes_on) return accepted;
  const auto released = release();
  accepted.touched.insert(accepted.touched.end(), released.begin(), released.end());
  accepted.resubmission.resubmitted = resubmission(accepted.resubmission.id).resubmitted;
  return accepted;
}

std::vector<Uuid> StoreFixture::release(std::size_t most) {
  return wait_value<std::vector<Uuid>>([&](auto done) { store_->release("ccr1", most, std::move(done)); });
}

void StoreFixture::settle_resubmissions() {
  while (store_->resubmission_work("ccr1").unsettled)
    wait_value<std::vector<Uuid>>([&](auto done) { store_->settle_resubmissions(std::move(done)); });
}

Resubmission StoreFixture::resubmission(Uuid id) {
  return wait_value<Resubmission>([&](auto done) { store_->resubmission(id, std::move(done)); });
}

std::vector<Delivery> StoreFixture::lines(const StorageGroup& group) {
  std::vector<Delivery> all;
  DeliveryQuery query;
  query.group = group;
  query.until = Instant::max();
  query.limit = 100;
  while (true) {
    auto page = wait_value<DeliveryPage>([&](auto done) { store_->list(query, std::move(done)); });
    all.insert(all.end(), page.deliveries.begin(), page.deliveries.end());
    if (!page.continue_from) return all;
    query.from = *page.continue_from;
  }
}

Delivery StoreFixture::only_line(const StorageGroup& group) {
  const auto all = lines(group);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::optional<SpooledMessage> StoreFixture::spooled(const Uuid& message) {
  return wait_value<std::optional<SpooledMessage>>(
      [&](auto done) { store_->load(message, std::move(done)); });
}

std::size_t StoreFixture::spool_size() {
  return wait_value<std::vector<SpooledMessage>>(
             [&](auto done) { store_->scan_spool(std::nullopt, 100'000, std::move(done)); })
      .size();
}

Result<std::string> StoreFixture::body(const Uuid& message, std::uint32_t chunk) {
  return wait_for<std::string>([&](auto done) { store_->read_body(message, chunk, std::move(done)); });
}

StorageGroupState StoreFixture::group(const StorageGroup& name) {
  return wait_value<StorageGroupState>(
      [&](auto done) { store_->storage_group_state(name, std::move(done)); });
}

ClusterState StoreFixture::cluster() {
  return wait_value<ClusterState>([&](auto done) { store_->cluster_state("ccr1", std::move(done)); });
}

Instant StoreFixture::snapshot() {
  return wait_value<Snapshot>([&](auto done) { store_->snapshot(std::move(done)); }).now;
}

void StoreFixture::retain() {
  store_->retain();
  snapshot();
  snapshot();
}

}  // namespace dumpster::testing
