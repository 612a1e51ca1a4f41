#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "relay/hub/allocator.hpp"
#include "relay/hub/configuration.hpp"
#include "relay/hub/hub.hpp"
#include "relay/hub/offline_verification.hpp"
#include "relay/hub/surroundings.hpp"

int main(int argc, char** argv) {
  relay::set_up_allocator();
  CLI::App app{"dumpsterd, a mail hub that refills replicated mailbox clusters after a failover"};
  std::string path;
  bool check = false;
  bool verify = false;
  bool repair = false;
  app.add_option("--config", path, "configuration file (TOML)")->required();
  app.add_flag("--check", check, "check the configuration and the files it names, and exit");
  app.add_flag("--verify", verify, "walk over the store of a hub that is not running, and exit");
  app.add_flag("--repair", repair,
               "make a sound store of what can be read of a damaged one, set that aside, and exit");
  app.set_version_flag("--version", DUMPSTER_VERSION);
  CLI11_PARSE(app, argc, argv);

  auto reading = relay::read_configuration(path);
  std::vector<std::string> faults;
  for (const auto& fault : reading.faults)
    faults.push_back(to_string(fault));
  if (verify && faults.empty()) return relay::verify_offline(reading.configuration.data_dir);
  if (repair && faults.empty()) return relay::repair_offline(reading.configuration.data_dir);
  auto surroundings = relay::read_surroundings(reading.configuration, faults);
  for (const auto& fault : faults)
    std::cerr << fault << '\n';
  if (!faults.empty()) return 1;
  if (check) {
    for (const auto& warning : reading.configuration.warnings)
      std::cerr << path << ": warning: " << warning << '\n';
    std::cout << path << ": no faults\n";
    return 0;
  }
  relay::Hub hub{path, std::move(reading.configuration), std::move(surroundings)};
  return hub.run();
}
