#pragma once

#include <string>
#include <vector>

#include "relay/notification/notification.hpp"

namespace relay::notification {

/// The recipients of `request` that want to be told of its kind: RFC 3461 4.1; without NOTIFY failures and
/// delays are told, successes are not.
std::vector<RecipientStatus> recipients_to_tell(const NotificationRequest& request);

/// The text of message/delivery-status (RFC 3464 2), ASCII.
std::string delivery_status(const NotificationRequest& request,
                            const std::vector<RecipientStatus>& recipients);

/// The part for people, ASCII.
std::string explanation(const NotificationRequest& request, const std::vector<RecipientStatus>& recipients);

}  // namespace relay::notification
