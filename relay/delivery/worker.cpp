#include "relay/delivery/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "relay/delivery/body_traits.hpp"

namespace relay {

namespace asio = boost::asio;

namespace {

BodySource body_of(dumpster::Store& store, const Assignment& assignment) {
  return {store, assignment.job.message->spooled.message, assignment.id_field, assignment.fresh_body};
}

/// Nothing was begun: all recipients are to be tried again.
TransactionEnd unreadable(const smtp::ClientTransaction& transaction, const std::string& why) {
  TransactionEnd end;
  const smtp::ClientRecipientResult deferred{smtp::ClientRecipientResult::Kind::deferred,
                                             {451, "4.3.0", "message cannot be read: " + why}};
  end.results.assign(transaction.recipients.size(), deferred);
  end.reusable = true;
  return end;
}

}  // namespace

Worker::Worker(asio::io_context& context, NextHop hop, NextHopPolicy policy, std::string hub_name,
               dumpster::Store& store, WorkerOwner& owner)
    : context_(context),
      hop_(std::move(hop)),
      policy_(std::move(policy)),
      hub_name_(std::move(hub_name)),
      store_(store),
      owner_(owner),
      wake_(context, asio::steady_timer::time_point::max()) {}

void Worker::start() {
  auto body = [self = shared_from_this()]() -> asio::awaitable<void> {
    const auto kept = self;
    co_await kept->run();
  };
  asio::co_spawn(context_, std::move(body), asio::detached);
}

void Worker::assign(Assignment assignment) {
  asio::post(context_, [self = shared_from_this(), moved = std::move(assignment)]() mutable {
    if (self->cut_ || self->gone_) {
      self->owner_.worker_finished(self, std::move(moved), {}, {});
      return;
    }
    self->next_ = std::move(moved);
    self->wake_.cancel();
  });
}

void Worker::leave() {
  asio::post(context_, [self = shared_from_this()] {
    self->leaving_ = true;
    self->wake_.cancel();
  });
}

void Worker::cut() {
  asio::post(context_, [self = shared_from_this()] {
    self->cut_ = true;
    self->leaving_ = true;
    if (self->session_) self->session_->cut();
    self->wake_.cancel();
  });
}

asio::awaitable<void> Worker::run() {
  auto failure = co_await reopen();
  if (!failure.empty() || cut_) {
    gone_ = true;
    owner_.worker_gone(shared_from_this(), cut_ ? std::string{} : failure);
    co_return;
  }
  owner_.worker_ready(shared_from_this());
  bool usable = true;
  while (usable) {
    co_await wait_for_work();
    if (!next_) break;
    // From here on it is under way: a cut breaks it off in the middle.
    auto assignment = std::move(*next_);
    next_.reset();
    usable = co_await perform(std::move(assignment));
  }
  gone_ = true;
  if (usable && !cut_) co_await session_->quit();
  owner_.worker_gone(shared_from_this(), {});
}

asio::awaitable<void> Worker::wait_for_work() {
  boost::system::error_code ignored;
  while (!next_ && !leaving_) {
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

asio::awaitable<std::string> Worker::reopen() {
  std::string failure;
  session_.emplace(context_, hop_, hub_name_, policy_);
  used_ = false;
  failure = co_await session_->open();
  co_return failure;
}

asio::awaitable<bool> Worker::perform(Assignment assignment) {
  const auto began = std::chrono::steady_clock::now();
  const bool was_used = used_;
  used_ = true;
  auto end = co_await transact(assignment);
  if (end.chunking_failed) policy_.chunking = false;
  // A kept connection that the next hop had closed meanwhile says nothing of the message, and neither does a
  // BDAT that it does not know: once more on a new one.
  const bool stale = was_used && !end.answered;
  if (!end.reusable && !cut_ && (stale || end.chunking_failed)) {
    const auto failure = co_await reopen();
    if (failure.empty() && !cut_) {
      used_ = true;
      end = co_await transact(assignment);
    }
  }
  const bool reusable = end.reusable && !cut_;
  end.reusable = reusable;
  const auto duration = std::chrono::steady_clock::now() - began;
  owner_.worker_finished(shared_from_this(), std::move(assignment), std::move(end), duration);
  co_return reusable;
}

asio::awaitable<TransactionEnd> Worker::transact(const Assignment& assignment) {
  auto transaction = assignment.transaction;
  auto body = body_of(store_, assignment);
  const auto& offered = session_->extensions();
  const bool declared_eight_bit = transaction.body_type == dumpster::BodyType::eight_bit_mime;
  const bool lacking =
      (declared_eight_bit && !offered.eight_bit_mime) || (transaction.smtputf8 && !offered.smtputf8);
  // Many declare more than they need; what is needed after all and not offered is refused by the machine.
  if (lacking) {
    auto looked_at = body_of(store_, assignment);
    const auto traits = co_await read_traits(looked_at);
    if (!traits) co_return unreadable(transaction, traits.error().detail);
    transaction.ascii_header = traits->ascii_header;
    if (traits->ascii && declared_eight_bit && !offered.eight_bit_mime)
      transaction.body_type = dumpster::BodyType::seven_bit;
  }
  auto end = co_await session_->transact(std::move(transaction), body);
  co_return end;
}

}  // namespace relay
