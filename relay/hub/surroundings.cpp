#include "relay/hub/surroundings.hpp"

#include <sstream>

#include "metrics/log.hpp"
#include "relay/directory/file_directory.hpp"
#include "relay/hub/next_hop_files.hpp"

namespace relay {
namespace {

constexpr std::size_t safe_token = 16;

template <class Faults>
void tell(const std::filesystem::path& file, const Faults& found, std::vector<std::string>& faults) {
  for (const auto& fault : found.faults) {
    const auto line = fault.line == 0 ? std::string{} : ":" + std::to_string(fault.line);
    faults.push_back(file.string() + line + ": " + fault.text);
  }
}

std::shared_ptr<const Directory> read_directory_file(const HubConfiguration& configuration,
                                                     std::vector<std::string>& faults) {
  FileDirectorySettings settings;
  settings.hub_name = configuration.name;
  for (const auto& cluster : configuration.clusters) {
    for (const auto& group : cluster.storage_groups)
      settings.storage_groups.push_back({cluster.name, group.name});
  }
  auto loaded = load_file_directory(configuration.recipients, std::move(settings));
  if (loaded) return *loaded;
  tell(configuration.recipients, loaded.error(), faults);
  if (loaded.error().more > 0) {
    faults.push_back(configuration.recipients.string() + ": and " + std::to_string(loaded.error().more) +
                     " more faults");
  }
  return nullptr;
}

}  // namespace

Surroundings read_surroundings(const HubConfiguration& configuration, std::vector<std::string>& faults) {
  Surroundings read;
  if (faults.empty()) read.directory = read_directory_file(configuration, faults);
  read.next_hops = read_next_hop_policies(configuration, faults);
  if (configuration.tokens.empty()) {
    read.tokens = std::make_shared<const recovery::Tokens>();
    return read;
  }
  auto tokens = recovery::load_tokens(configuration.tokens);
  if (tokens) {
    if (tokens->shortest() > 0 && tokens->shortest() < safe_token) {
      metrics::log_warning("a token is short enough to be guessed",
                           {{"file", configuration.tokens.string()}});
    }
    read.tokens = std::make_shared<const recovery::Tokens>(std::move(*tokens));
  } else {
    tell(configuration.tokens, tokens.error(), faults);
  }
  return read;
}

}  // namespace relay
