#include <signal.h>
#include <sys/resource.h>

#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;

namespace {

/// While it lives, no file of this process grows beyond `bytes`: what a full disk looks like to a program.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE_METHOD(StoreFixture,
                 "after a failed write nothing is acknowledged until the store is opened again") {
  const auto before = accept({"alice@example.test"}, 1000);
  CHECK(store().writable());
  const auto attempt = [&](std::size_t size) {
    auto made = new_message({"alice@example.test"}, size);
    return wait_for<Done>([&](auto done) { store().accept(std::move(made), std::move(done)); });
  };
  {
    const FileSizeLimit full{20'000};
    const auto failed = attempt(60'000);
    REQUIRE(failed.has_error());
    CHECK(failed.error().fault == Fault::unavailable);
  }
  CHECK_FALSE(store().writable());
  const auto next = attempt(10);
  REQUIRE(next.has_error());
  CHECK(next.error().fault == Fault::unavailable);
  // Reading goes on.
  CHECK(spooled(before.key));
  CHECK(body(before.key).value() == body_of(before));
  CHECK(store().spool_totals().messages == 1);
  reopen();
  CHECK(store().writable());
  CHECK_FALSE(store().identity().clean_shutdown);
  CHECK(spooled(before.key));
  accept();
  CHECK(spool_size() == 2);
}

TEST_CASE_METHOD(StoreFixture, "a closed store refuses every call and has marked its end as clean") {
  accept();
  store().close();
  store().close();
  CHECK_FALSE(store().writable());
  auto made = new_message({"alice@example.test"}, 10);
  const auto refused = wait_for<Done>([&](auto done) { store().accept(std::move(made), std::move(done)); });
  CHECK(refused.error().fault == Fault::unavailable);
  const auto unread = wait_for<std::vector<SpooledMessage>>(
      [&](auto done) { store().scan_spool(std::nullopt, 10, std::move(done)); });
  CHECK(unread.error().fault == Fault::unavailable);
  reopen();
  CHECK(store().identity().clean_shutdown);
  CHECK(spool_size() == 1);
}
