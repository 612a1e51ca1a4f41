#include "relay/smtp/client_machine.hpp"
#include "relay/smtp/server_machine.hpp"
