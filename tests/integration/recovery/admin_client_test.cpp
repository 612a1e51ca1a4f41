#include <unistd.h>

#include <boost/asio/post.hpp>
#include <filesystem>
#include <future>

#include "recovery/dumpsterctl/admin_client.hpp"
#include "recovery/dumpsterctl/views.hpp"
#include "tests/integration/recovery/api_hub.hpp"

using namespace recovery::api_test;
using recovery::dumpsterctl::AdminClient;

TEST_CASE("dumpsterctl asks the hub over its socket and says what it refuses") {
  const auto path =
      std::filesystem::temp_directory_path() / ("admin-" + std::to_string(::getpid()) + ".sock");
  const AdminClient client{path.string()};
  const auto nobody = client.get("/v1/status");
  REQUIRE(nobody.has_error());
  CHECK(nobody.error().text == "cannot reach the hub on " + path.string() + ": is dumpsterd running?");

  Hub hub{0, true};
  std::promise<bool> listening;
  boost::asio::post(hub.server->context(),
                    [&] { listening.set_value(hub.server->server().listen_unix(path).has_value()); });
  REQUIRE(listening.get_future().get());
  const auto status = client.get("/v1/status");
  REQUIRE(status.has_value());
  const auto parsed = json::parse(*status).as_object();
  CHECK(recovery::dumpsterctl::accepts_mail(parsed));
  CHECK(recovery::dumpsterctl::status_view(parsed).find("hub1.example.test") != std::string::npos);
  CHECK(client.get("/v1/clusters/ccr1").has_value());
  const auto unknown = client.get("/v1/clusters/" + recovery::dumpsterctl::escaped("no such/cluster"));
  REQUIRE(unknown.has_error());
  CHECK(unknown.error().text == "the hub refused: there is no such cluster");
}
