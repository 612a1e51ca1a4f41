#include "relay/directory/ldap/ldap_directory.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "tests/integration/directory/private_slapd.hpp"

using namespace std::chrono_literals;
using dumpster::StorageGroup;
using relay::Lookup;
using relay::LookupFault;
using relay::NextHop;
using relay::PrivateSlapd;
using relay::Resolved;

namespace {

const std::string more_entries = R"(
dn: cn=catch all,ou=mail,dc=example,dc=test
objectClass: dumpsterEntry
cn: catch all
dumpsterAddress: @whole.test
dumpsterStorageGroup: ccr1/sg2

dn: cn=half,ou=mail,dc=example,dc=test
objectClass: dumpsterEntry
cn: half
mail: half@example.test
dumpsterAlias: alice@example.test
dumpsterAlias: nobody@example.test

dn: cn=round,ou=mail,dc=example,dc=test
objectClass: dumpsterEntry
cn: round
mail: round@example.test
dumpsterAlias: round@example.test

dn: cn=twin 1,ou=mail,dc=example,dc=test
objectClass: dumpsterEntry
cn: twin 1
mail: twin@example.test
dumpsterStorageGroup: ccr1/sg1

dn: cn=twin 2,ou=mail,dc=example,dc=test
objectClass: dumpsterEntry
cn: twin 2
mail: twin@example.test
dumpsterStorageGroup: ccr1/sg2

dn: cn=elsewhere,ou=mail,dc=example,dc=test
objectClass: dumpsterEntry
cn: elsewhere
mail: elsewhere@example.test
dumpsterStorageGroup: ccr9/sg1
)";

relay::ldap::Settings settings_for(const PrivateSlapd& slapd) {
  relay::ldap::Settings made;
  made.urls = {slapd.url()};
  made.bind_dn = "cn=hub,dc=example,dc=test";
  made.bind_password = "change-me";
  made.base = "ou=mail,dc=example,dc=test";
  made.filter = std::get<relay::ldap::FilterTemplate>(
      relay::ldap::FilterTemplate::parse("(|(mail=%s)(dumpsterAddress=%s))"));
  made.attributes = {"mail", "dumpsterStorageGroup", "dumpsterRoute", "dumpsterMailbox", "dumpsterAlias"};
  made.storage_groups = {{"ccr1", "sg1"}, {"ccr1", "sg2"}};
  made.hub_name = "hub1.example.test";
  made.timeout = 2s;
  return made;
}

metrics::HubMetrics& counted() {
  static metrics::HubMetrics metrics;
  return metrics;
}

std::shared_ptr<const relay::ldap::LdapDirectory> directory_of(relay::ldap::Settings settings) {
  return make_ldap_directory(std::move(settings), counted());
}

Lookup ask(const relay::Directory& directory, const std::string& address) {
  auto promised = std::make_shared<std::promise<Lookup>>();
  auto answer = promised->get_future();
  directory.ask(address, [promised](Lookup found) { promised->set_value(std::move(found)); });
  REQUIRE(answer.wait_for(20s) == std::future_status::ready);
  return answer.get();
}

std::vector<Resolved> all(const Lookup& lookup) {
  REQUIRE(std::holds_alternative<std::vector<Resolved>>(lookup));
  return std::get<std::vector<Resolved>>(lookup);
}

Resolved one(const Lookup& lookup) {
  const auto found = all(lookup);
  REQUIRE(found.size() == 1);
  return found.front();
}

bool is(const Lookup& lookup, LookupFault fault) {
  const auto* found = std::get_if<LookupFault>(&lookup);
  return found != nullptr && *found == fault;
}

/// Takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(descriptor_, 16);
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(descriptor_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  std::string port() const { return std::to_string(port_); }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("recipients on an LDAP server are found by the rules of the recipients file") {
  const PrivateSlapd slapd{more_entries};
  const auto directory = directory_of(settings_for(slapd));
  const auto alice = one(ask(*directory, "Alice+News@Example.test"));
  CHECK(alice.address == "Alice+News@Example.test");
  CHECK(alice.mailbox == "alice@example.test");
  CHECK(alice.detail == "News");
  CHECK(std::get<StorageGroup>(alice.route) == StorageGroup{"ccr1", "sg1"});
  CHECK(one(ask(*directory, "bob@example.test")).mailbox == "bob");

  // Another address of the same mailbox is the same mailbox, detail included.
  const auto other = one(ask(*directory, "alice.anderson+x@example.test"));
  CHECK(other.mailbox == "alice@example.test");
  CHECK(other.address == "alice+x@example.test");

  CHECK(all(ask(*directory, "team@example.test")).size() == 2);
  CHECK(one(ask(*directory, "postmaster")).mailbox == "alice@example.test");
  CHECK(std::get<NextHop>(one(ask(*directory, "any@lists.example.test")).route).port == 2700);
  CHECK(one(ask(*directory, "Any+x@whole.test")).mailbox == "any@whole.test");
  CHECK(is(ask(*directory, "a%b@whole.test"), LookupFault::unknown));
  CHECK(is(ask(*directory, "nobody@example.test"), LookupFault::unknown));
  CHECK(is(ask(*directory, "half@example.test"), LookupFault::unknown));
  CHECK(is(ask(*directory, "round@example.test"), LookupFault::loop));

  // Nobody talks his way into the filter.
  for (const auto* hostile : {"*@example.test", "alice*@example.test", "\"*)(mail=alice\"@example.test",
                              "\"alice@example.test)(uid=*\"@example.test"})
    CHECK(is(ask(*directory, hostile), LookupFault::unknown));

  // What cannot be meant is nobody's fault who sends: later, not never.
  CHECK(is(ask(*directory, "twin@example.test"), LookupFault::unavailable));
  CHECK(is(ask(*directory, "elsewhere@example.test"), LookupFault::unavailable));
}

TEST_CASE("answers are at hand for their time, and unknown ones for theirs") {
  PrivateSlapd slapd;
  auto settings = settings_for(slapd);
  settings.cache_time = 1h;
  settings.negative_cache_time = 1h;
  const auto directory = directory_of(settings);
  CHECK_FALSE(directory->find("alice@example.test").has_value());
  CHECK(one(ask(*directory, "alice@example.test")).mailbox == "alice@example.test");
  CHECK(is(ask(*directory, "nobody@example.test"), LookupFault::unknown));
  slapd.stop();
  CHECK(one(directory->find("alice@example.test").value()).mailbox == "alice@example.test");
  CHECK(is(directory->find("nobody@example.test").value(), LookupFault::unknown));
  CHECK_FALSE(directory->find("alice+x@example.test").has_value());  // that key was not asked for yet
  directory->forget();
  CHECK(is(ask(*directory, "alice@example.test"), LookupFault::unavailable));
}

TEST_CASE("while the server is away nothing is unknown, and afterwards it is asked again") {
  PrivateSlapd slapd;
  auto settings = settings_for(slapd);
  settings.cache_size = 0;
  const auto directory = directory_of(settings);
  CHECK(one(ask(*directory, "alice@example.test")).mailbox == "alice@example.test");
  slapd.stop();
  CHECK(is(ask(*directory, "alice@example.test"), LookupFault::unavailable));
  CHECK(is(ask(*directory, "nobody@example.test"), LookupFault::unavailable));
  slapd.start();
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (is(ask(*directory, "alice@example.test"), LookupFault::unavailable))
    REQUIRE(std::chrono::steady_clock::now() < limit);
  CHECK(one(ask(*directory, "alice@example.test")).mailbox == "alice@example.test");

  // A connection that the server has closed meanwhile costs nobody an answer.
  slapd.stop();
  slapd.start();
  CHECK(one(ask(*directory, "alice@example.test")).mailbox == "alice@example.test");
}

TEST_CASE("a moved mailbox is found where it is now") {
  PrivateSlapd slapd;
  auto settings = settings_for(slapd);
  settings.cache_time = 0ms;
  const auto directory = directory_of(settings);
  CHECK(std::get<StorageGroup>(one(ask(*directory, "alice@example.test")).route).group == "sg1");
  slapd.modify(
      "dn: uid=alice,ou=mail,dc=example,dc=test\nchangetype: modify\nreplace: dumpsterStorageGroup\n"
      "dumpsterStorageGroup: ccr1/sg2\n");
  CHECK(std::get<StorageGroup>(one(ask(*directory, "alice@example.test")).route).group == "sg2");
}

TEST_CASE("StartTLS and ldaps trust the named authority alone") {
  const PrivateSlapd slapd;
  for (const bool start_tls : {true, false}) {
    INFO((start_tls ? "StartTLS" : "ldaps"));
    auto settings = settings_for(slapd);
    settings.urls = {start_tls ? slapd.url() : slapd.tls_url()};
    settings.start_tls = start_tls;
    settings.ca = slapd.ca();
    CHECK(one(ask(*directory_of(settings), "alice@example.test")).mailbox == "alice@example.test");
    settings.ca = slapd.other_ca();
    CHECK(is(ask(*directory_of(settings), "alice@example.test"), LookupFault::unavailable));
    settings.ca.clear();
    CHECK(is(ask(*directory_of(settings), "alice@example.test"), LookupFault::unavailable));
  }
}

TEST_CASE("a wrong password, a base that is not there and a limit of the server make nobody unknown") {
  PrivateSlapd slapd;
  auto wrong = settings_for(slapd);
  wrong.bind_password = "wrong";
  CHECK(is(ask(*directory_of(wrong), "alice@example.test"), LookupFault::unavailable));
  auto nowhere = settings_for(slapd);
  nowhere.base = "ou=nowhere,dc=example,dc=test";
  CHECK(is(ask(*directory_of(nowhere), "alice@example.test"), LookupFault::unavailable));
  // Every entry matches: the server ends at the third with "size limit exceeded".
  auto many = settings_for(slapd);
  many.filter = std::get<relay::ldap::FilterTemplate>(
      relay::ldap::FilterTemplate::parse("(|(objectClass=*)(mail=%s))"));
  CHECK(is(ask(*directory_of(many), "alice@example.test"), LookupFault::unavailable));
}

TEST_CASE("the second server is asked when the first does not answer") {
  const PrivateSlapd slapd;
  auto settings = settings_for(slapd);
  settings.urls = {"ldap://127.0.0.1:" + std::to_string(relay::free_port()), slapd.url()};
  CHECK(one(ask(*directory_of(settings), "alice@example.test")).mailbox == "alice@example.test");
}

TEST_CASE("a server that says nothing costs no more than the time-out, however it is asked") {
  const PrivateSlapd slapd;
  const SilentServer silent;
  for (const auto* scheme : {"ldap://127.0.0.1:", "ldaps://127.0.0.1:", "ldap+tls"}) {
    INFO(scheme);
    auto settings = settings_for(slapd);
    settings.start_tls = std::string{scheme} == "ldap+tls";
    settings.urls = {(settings.start_tls ? "ldap://127.0.0.1:" : scheme) + silent.port()};
    settings.timeout = 300ms;
    const auto directory = directory_of(settings);
    const auto begin = std::chrono::steady_clock::now();
    CHECK(is(ask(*directory, "alice@example.test"), LookupFault::unavailable));
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
    CHECK_FALSE(directory->find("alice@example.test").has_value());
  }
}

TEST_CASE("many ask at once, and everyone is answered once, those that wait at the end included") {
  const PrivateSlapd slapd;
  auto settings = settings_for(slapd);
  settings.cache_size = 0;
  settings.timeout = 20s;
  const auto directory = directory_of(settings);
  std::atomic<int> found{0};
  std::atomic<int> answered{0};
  constexpr int all_of_them = 2000;
  for (int i = 0; i < all_of_them; ++i) {
    directory->ask("alice@example.test", [&](Lookup lookup) {
      if (std::holds_alternative<std::vector<Resolved>>(lookup)) ++found;
      ++answered;
    });
  }
  while (answered < all_of_them)
    std::this_thread::sleep_for(1ms);
  CHECK(found == all_of_them);
  for (int i = 0; i < all_of_them; ++i)
    directory->ask("alice@example.test", [&](Lookup) { ++answered; });
  directory->close();
  CHECK(answered == 2 * all_of_them);
  CHECK(is(ask(*directory, "alice@example.test"), LookupFault::unavailable));
}
