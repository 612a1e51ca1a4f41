#include "recovery/agent/cyrus_tools.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "recovery/agent/subprocess.hpp"

namespace recovery::agent {
namespace {

namespace json = boost::json;
using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// Where distributions put the tools.
std::string tool_path(const std::string& tool) {
  for (const char* directory :
       {"/usr/lib/cyrus/bin/", "/usr/cyrus/bin/", "/usr/lib/cyrus-imapd/", "/usr/libexec/cyrus-imapd/"}) {
    if (::access((directory + tool).c_str(), X_OK) == 0) return directory + tool;
  }
  return tool;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// One mailbox of a user, by Cyrus's internal name: `DOMAIN!user.NAME.FOLDER`, in which `^` stands for a dot.
struct UserFolder {
  std::string user;
  std::string external;
};

std::optional<UserFolder> user_folder(std::string_view name, char separator) {
  std::string domain;
  if (const std::size_t mark = name.find('!'); mark != std::string_view::npos) {
    domain = name.substr(0, mark);
    name.remove_prefix(mark + 1);
  }
  if (!name.starts_with("user.")) return std::nullopt;
  std::string user{name.substr(5, name.find('.', 5) - 5)};
  std::string external{name};
  std::replace(user.begin(), user.end(), '^', '.');
  if (separator == '/') {
    for (char& c : external)
      c = c == '.' ? '/' : c == '^' ? '.' : c;
  }
  if (!domain.empty()) {
    user += "@" + domain;
    external += "@" + domain;
  }
  return UserFolder{lower(std::move(user)), std::move(external)};
}

}  // namespace

CyrusSettings cyrus_settings_from(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string_view line : lines_of(text)) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos)
      values[std::string{trimmed(line.substr(0, colon))}] = trimmed(line.substr(colon + 1));
  }
  CyrusSettings settings;
  settings.config_directory = values["configdirectory"];
  settings.default_domain = lower(values["defaultdomain"]);
  settings.mailbox_list = values["mboxlist_db_path"];
  if (settings.mailbox_list.empty()) settings.mailbox_list = settings.config_directory + "/mailboxes.db";
  settings.store = values["partition-" + values["defaultpartition"]];
  const std::string& unix_names = values["unixhierarchysep"];
  if (unix_names == "no" || unix_names == "off" || unix_names == "0" || unix_names == "false")
    settings.separator = '.';
  return settings;
}

std::optional<CyrusFolders> cyrus_folders_from(std::string_view text, char separator) {
  json::monotonic_resource memory;
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  json::error_code error;
  const json::value list = json::parse(text, error, &memory, options);
  const json::object* mailboxes = list.if_object();
  if (error || mailboxes == nullptr) return std::nullopt;
  CyrusFolders folders;
  for (const auto& entry : *mailboxes) {
    const json::object* mailbox = entry.value().if_object();
    if (mailbox == nullptr) return std::nullopt;
    const json::value* type = mailbox->if_contains("mbtype");
    // What is deleted, reserved, remote or an intermediate name holds no mail here.
    const std::string_view kind =
        type != nullptr && type->is_string() ? std::string_view{type->get_string()} : "";
    if (kind.find_first_of("rditmz") != std::string_view::npos) continue;
    auto folder = user_folder(std::string_view{entry.key()}, separator);
    if (folder) folders[folder->user].push_back(std::move(folder->external));
  }
  return folders;
}

Result<std::string> CyrusTools::call(const std::string& tool,
                                     const std::vector<std::string>& arguments) const {
  Subprocess command;
  command.arguments = {tool_path(tool)};
  if (!configuration_.empty()) command.arguments.insert(command.arguments.end(), {"-C", configuration_});
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.deadline = std::chrono::minutes{5};
  command.stop = stop_;
  auto outcome = run(command);
  if (!outcome) return outcome.error();
  if (outcome->status != 0) {
    return Error{Fault::unavailable, tool + " ended with status " + std::to_string(outcome->status) + ": " +
                                         std::string{trimmed(outcome->complaint)}};
  }
  return std::move(outcome->output);
}

Result<CyrusSettings> CyrusTools::settings() const {
  const auto text = call("cyr_info", {"conf-all"});
  if (!text) return text.error();
  CyrusSettings settings = cyrus_settings_from(*text);
  if (settings.config_directory.empty()) {
    return Error{Fault::unavailable, "cyr_info does not tell where Cyrus keeps its configuration"};
  }
  return settings;
}

Result<CyrusFolders> CyrusTools::folders(char separator) const {
  const auto text = call("ctl_mboxlist", {"-d"});
  if (!text) return text.error();
  auto folders = cyrus_folders_from(*text, separator);
  if (!folders) return Error{Fault::unavailable, "ctl_mboxlist prints another form than this agent knows"};
  return std::move(*folders);
}

Result<std::vector<std::string>> CyrusTools::paths(const std::vector<std::string>& folders) const {
  constexpr std::size_t in_one_call = 500;
  std::vector<std::string> paths;
  for (std::size_t first = 0; first < folders.size(); first += in_one_call) {
    const auto begin = folders.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end =
        folders.begin() + static_cast<std::ptrdiff_t>(std::min(first + in_one_call, folders.size()));
    const auto text = call("mbpath", {begin, end});
    if (!text) return text.error();
    for (const std::string_view line : lines_of(*text))
      paths.emplace_back(line);
  }
  if (paths.size() != folders.size()) return Error{Fault::unavailable, "mbpath does not name every folder"};
  return paths;
}

}  // namespace recovery::agent
