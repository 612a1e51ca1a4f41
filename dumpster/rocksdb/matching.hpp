#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dumpster/delivery.hpp"
#include "dumpster/rocksdb/lines.hpp"

namespace dumpster::rocks {

/// The recipients of a line whose address or mailbox is among `names`, in either case; all of them when
/// `names` is empty.
Indices matching_recipients(const Delivery& line, const std::vector<std::string>& names);

}  // namespace dumpster::rocks
