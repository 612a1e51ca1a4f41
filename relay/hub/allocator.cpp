#include "relay/hub/allocator.hpp"

#ifdef DUMPSTER_MIMALLOC
#include <mimalloc.h>
#endif

namespace relay {

void set_up_allocator() {
#ifdef DUMPSTER_MIMALLOC
  constexpr long milliseconds = 1000;
  mi_option_set_default(mi_option_decommit_delay, milliseconds);
#endif
}

}  // namespace relay
