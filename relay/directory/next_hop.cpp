#include "relay/directory/next_hop.hpp"

#include "relay/directory/directory.hpp"
