#include "relay/delivery/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace relay {

namespace asio = boost::asio;

namespace {

smtp::ClientSettings settings_for(const NextHop& hop, const std::string& hub_name) {
  smtp::ClientSettings settings;
  settings.protocol = hop.protocol == NextHop::Protocol::lmtp ? smtp::Protocol::lmtp : smtp::Protocol::smtp;
  settings.hub_name = hub_name;
  return settings;
}

}  // namespace

Worker::Worker(asio::io_context& context, NextHop hop, std::string hub_name, dumpster::Store& store,
               WorkerOwner& owner)
    : context_(context),
      hop_(std::move(hop)),
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
  session_.emplace(context_, settings_for(hop_, hub_name_));
  used_ = false;
  failure = co_await session_->open(hop_);
  co_return failure;
}

asio::awaitable<bool> Worker::perform(Assignment assignment) {
  const auto began = std::chrono::steady_clock::now();
  const bool was_used = used_;
  used_ = true;
  auto transaction = assignment.transaction;
  BodySource body{store_, assignment.job.message->spooled.message, assignment.id_field,
                  assignment.fresh_body};
  auto end = co_await session_->transact(std::move(transaction), body);
  // A kept connection that the next hop had closed meanwhile says nothing of the message: once more on a new
  // one.
  if (!end.reusable && !end.answered && was_used && !cut_) {
    const auto failure = co_await reopen();
    if (failure.empty() && !cut_) {
      BodySource again{store_, assignment.job.message->spooled.message, assignment.id_field,
                       assignment.fresh_body};
      used_ = true;
      transaction = assignment.transaction;
      end = co_await session_->transact(std::move(transaction), again);
    }
  }
  const bool reusable = end.reusable && !cut_;
  end.reusable = reusable;
  const auto duration = std::chrono::steady_clock::now() - began;
  owner_.worker_finished(shared_from_this(), std::move(assignment), std::move(end), duration);
  co_return reusable;
}

}  // namespace relay
