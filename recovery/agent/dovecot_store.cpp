#include "recovery/agent/dovecot_store.hpp"

#include "recovery/agent/subprocess.hpp"

namespace recovery::agent {
namespace {

std::string setting(const std::string& configuration, const char* name, const std::atomic<bool>* stop) {
  Subprocess ask;
  ask.arguments = {"doveconf"};
  if (!configuration.empty()) ask.arguments.insert(ask.arguments.end(), {"-c", configuration});
  ask.arguments.insert(ask.arguments.end(), {"-h", name});
  ask.deadline = std::chrono::seconds{30};
  ask.stop = stop;
  const auto outcome = run(ask);
  if (!outcome || outcome->status != 0) return {};
  return outcome->output.substr(0, outcome->output.find('\n'));
}

}  // namespace

std::string dovecot_store_in(std::string_view mail_location, std::string_view mail_home) {
  const std::size_t driver = mail_location.find(':');
  std::string_view path = driver == std::string_view::npos ? mail_location : mail_location.substr(driver + 1);
  path = path.substr(0, path.find(':'));
  if (path.starts_with("~") || path.starts_with("%h")) path = mail_home;
  if (!path.starts_with('/')) return {};
  const std::size_t variable = path.find('%');
  if (variable != std::string_view::npos) path = path.substr(0, path.rfind('/', variable));
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  return path == "/" ? std::string{} : std::string{path};
}

std::string dovecot_store(const std::string& configuration, const std::atomic<bool>* stop) {
  return dovecot_store_in(setting(configuration, "mail_location", stop),
                          setting(configuration, "mail_home", stop));
}

}  // namespace recovery::agent
