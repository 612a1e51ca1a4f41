#include "recovery/running_relay.hpp"
