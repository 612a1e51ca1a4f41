#include "relay/server/incoming_message.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "dumpster/await.hpp"
#include "metrics/log.hpp"
#include "relay/smtp/date.hpp"

namespace relay {

namespace asio = boost::asio;
using dumpster::Done;
using dumpster::Result;

namespace {

constexpr std::size_t longer_than_most = 16U * 1024;

}  // namespace

IncomingMessage::IncomingMessage(dumpster::Store& store, FreshBodies& bodies, dumpster::Message message,
                                 std::string received_field, std::string hub_name)
    : store_(store),
      message_(std::move(message)),
      hub_name_(std::move(hub_name)),
      scanner_(hub_name_),
      pending_(std::move(received_field)),
      received_size_(pending_.size()),
      fresh_body_(bodies.begin()) {
  message_.size = pending_.size();
}

IncomingMessage::~IncomingMessage() {
  if (!accepted_ && message_.chunks > 0) store_.abandon_body(message_.key);
}

void IncomingMessage::add(std::string_view bytes) {
  scanner_.feed(bytes);
  const auto wanted = pending_.size() + bytes.size();
  // A body that is longer than most gets the room for a chunk at once, and is not copied again and again.
  if (wanted > pending_.capacity() && wanted > longer_than_most)
    pending_.reserve(std::max(wanted, dumpster::body_chunk_size + longer_than_most));
  pending_ += bytes;
  message_.size += bytes.size();
}

asio::awaitable<Result<Done>> IncomingMessage::append(std::string chunk) {
  const auto number = message_.chunks++;
  auto write = [this, number, &chunk](dumpster::Completion<Done> done) {
    store_.append_body(message_.key, number, std::move(chunk), std::move(done));
  };
  auto written = co_await dumpster::await_result<Done>(write);
  co_return written;
}

asio::awaitable<Result<Done>> IncomingMessage::write_full_chunks() {
  Result<Done> written{Done{}};
  add_missing_fields();
  while (chunk_is_full()) {
    auto rest = pending_.substr(dumpster::body_chunk_size);
    pending_.resize(dumpster::body_chunk_size);
    pending_.swap(rest);
    keep_fresh(rest);
    written = co_await append(std::move(rest));
    if (!written) break;
  }
  co_return written;
}

/// One chunk after the other: what is not kept whole is of no use.
void IncomingMessage::keep_fresh(const std::string& chunk) {
  if (fresh_body_ && !fresh_body_->add(chunk)) fresh_body_.reset();
}

/// Once, before the first chunk goes: the header has ended by then, or is longer than anyone's.
void IncomingMessage::add_missing_fields() {
  if (!std::exchange(complete_header_, false) || message_.chunks > 0) return;
  std::string fields;
  const bool whole = scanner_.header_ended() || !chunk_is_full();
  if (whole && !scanner_.has_message_id()) {
    const auto id = dumpster::to_string(message_.key) + "@" + hub_name_;
    fields += "Message-ID: <" + id + ">\r\n";
    added_message_id_ = id;
  }
  if (whole && !scanner_.has_date()) {
    fields += "Date: " + smtp::to_rfc5322(message_.received_at) + "\r\n";
  }
  pending_.insert(received_size_, fields);
  message_.size += fields.size();
}

asio::awaitable<Result<Done>> IncomingMessage::accept(std::chrono::milliseconds limit) {
  Result<Done> written{Done{}};
  add_missing_fields();
  if (chunk_is_full()) written = co_await write_full_chunks();
  if (!written) co_return written;
  message_.message_id = added_message_id_.empty() ? scanner_.message_id() : added_message_id_;
  dumpster::NewMessage made;
  ++message_.chunks;
  keep_fresh(pending_);
  made.body = std::move(pending_);
  pending_.clear();
  made.message = message_;
  made.origin = origin_;
  written = co_await commit(std::move(made), limit);
  co_return written;
}

/// A commit under way; it may end when nobody waits any more.
struct IncomingMessage::Commit {
  explicit Commit(const asio::any_io_executor& executor) : timer(executor) {}

  asio::steady_timer timer;
  std::optional<Result<Done>> result;
  bool given_up = false;
};

namespace {

/// Takes out of the spool what its client was told to send again.
void take_back(dumpster::Store& store, const dumpster::Message& message) {
  dumpster::AttemptOutcome outcome;
  outcome.message = message.key;
  outcome.attempt = 1;
  for (std::uint32_t index = 0; index < message.envelope.recipients.size(); ++index) {
    dumpster::RecipientOutcome recipient;
    recipient.index = index;
    recipient.kind = dumpster::RecipientOutcome::Kind::deleted;
    recipient.reply = "not stored in time, taken back";
    outcome.recipients.push_back(std::move(recipient));
  }
  const auto id = dumpster::to_string(message.key);
  store.record(std::move(outcome), [id](Result<dumpster::AttemptRecorded> recorded) {
    if (recorded) {
      metrics::log_warning("taken back", {{"id", id}});
    } else {
      metrics::log_error("not taken back", {{"id", id}, {"reason", recorded.error().detail}});
    }
  });
}

}  // namespace

asio::awaitable<Result<Done>> IncomingMessage::commit(dumpster::NewMessage made,
                                                      std::chrono::milliseconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  const auto commit = std::make_shared<Commit>(executor);
  auto finish = [commit, &store = store_, message = made.message](const Result<Done>& result) {
    if (!commit->given_up) {
      commit->result = result;
      commit->timer.cancel();
    } else if (result) {
      take_back(store, message);
    } else if (message.chunks > 1) {
      store.abandon_body(message.key);
    }
  };
  dumpster::Completion<Done> done = [executor, finish = std::move(finish)](Result<Done> result) {
    asio::post(executor, [finish, result = std::move(result)] { finish(result); });
  };
  commit->timer.expires_after(limit);
  store_.accept(std::move(made), std::move(done));
  boost::system::error_code ignored;
  while (!commit->result && commit->timer.expiry() > std::chrono::steady_clock::now())
    co_await commit->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  accepted_ = true;  // from here on the body is the commit's
  if (!commit->result) {
    commit->given_up = true;
    co_return dumpster::Error{dumpster::Fault::unavailable, "not durable in time"};
  }
  accepted_ = commit->result->has_value();
  co_return *commit->result;
}

}  // namespace relay
