#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/delivery.hpp"
#include "relay/directory/ldap/filter.hpp"

namespace relay::ldap {

/// Which attributes say what. An empty name: no entry says that.
struct Attributes {
  std::string address;        ///< the entry's own address
  std::string storage_group;  ///< `CLUSTER/GROUP`
  std::string route;          ///< `lmtp://host:port`, `smtp://host:port`
  std::string mailbox;        ///< name in inventories
  std::string alias;          ///< addresses that mail goes to instead; any number

  bool operator==(const Attributes&) const = default;
};

enum class Scope : std::uint8_t { base, one, subtree };

struct Settings {
  std::vector<std::string> urls;  ///< `ldap://` and `ldaps://`; asked in this order until one answers
  bool start_tls = false;
  std::filesystem::path ca;  ///< trusted certificates; empty: those of the system
  std::string bind_dn;       ///< empty: nobody (anonymous)
  std::string bind_password;
  std::string base;
  Scope scope = Scope::subtree;
  FilterTemplate filter;
  Attributes attributes;
  std::optional<dumpster::StorageGroup> default_storage_group;  ///< of entries that name no way

  std::vector<dumpster::StorageGroup> storage_groups;  ///< those of the configuration
  std::string hub_name;                                ///< whose postmaster `postmaster` without a domain is

  unsigned connections = 4;
  std::chrono::milliseconds timeout{5000};  ///< for one look-up in all: waiting, connecting, searching
  std::size_t cache_size = 100'000;         ///< entries, those that are not there included; 0: none is kept
  std::chrono::milliseconds cache_time{60'000};
  std::chrono::milliseconds negative_cache_time{10'000};

  bool operator==(const Settings&) const = default;
};

}  // namespace relay::ldap
