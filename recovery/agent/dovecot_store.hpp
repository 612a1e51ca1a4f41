#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace recovery::agent {

/// The directory that holds the mail of all users, as far as it can be told from Dovecot's `mail_location`
/// (or `mail_home`, for mail in home directories): the part before the first directory that differs from user
/// to user. Empty when there is none: then the place of the marker has to be configured.
std::string dovecot_store_in(std::string_view mail_location, std::string_view mail_home);

/// Asks `doveconf`. `configuration`: the file for `-c`; empty: Dovecot's own.
std::string dovecot_store(const std::string& configuration, const std::atomic<bool>* stop);

}  // namespace recovery::agent
