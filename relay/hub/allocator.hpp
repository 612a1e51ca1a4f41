#pragma once

namespace relay {

/// Sets the allocator up for a hub: memory that is freed is given back to the system when it has not been
/// used again for a second. By default that is 25 ms, and a tenth of the hub's processor time goes into
/// giving pages back and getting them again. What the environment says (`MIMALLOC_DECOMMIT_DELAY`,
/// milliseconds) counts more. Nothing in a build with a sanitizer, which brings its own allocator.
void set_up_allocator();

}  // namespace relay
