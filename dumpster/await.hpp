#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "dumpster/store.hpp"

namespace dumpster {

/// Turns a call with a `Completion<T>` into an operation of Asio: `start` is called with a completion that
/// carries the result back to the caller's own executor.
///
///     auto start = [&](Completion<Done> done) { store.accept(std::move(message), std::move(done)); };
///     auto accepted = co_await await_result<Done>(start);
template <class T, class Start>
boost::asio::awaitable<Result<T>> await_result(Start& start) {
  namespace asio = boost::asio;
  auto initiate = [&start](auto handler) {
    using Handler = decltype(handler);
    // std::function wants copies; the handler cannot be copied, so it lives behind a shared pointer.
    struct Waiting {
      Handler handler;
      asio::executor_work_guard<asio::any_io_executor> work;
    };
    auto executor = asio::get_associated_executor(handler);
    auto waiting = std::make_shared<Waiting>(
        Waiting{std::move(handler), asio::make_work_guard<asio::any_io_executor>(executor)});
    start([waiting](Result<T> result) {
      auto target = waiting->work.get_executor();
      asio::post(target, [waiting, moved = std::make_shared<Result<T>>(std::move(result))]() mutable {
        auto resume = std::move(waiting->handler);
        resume(std::move(*moved));
      });
    });
  };
  auto result = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<T>)>(
      initiate, asio::use_awaitable);
  co_return result;
}

}  // namespace dumpster
