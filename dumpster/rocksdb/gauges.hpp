#pragma once

#include "dumpster/rocksdb/tables.hpp"
#include "dumpster/rocksdb/traffic_book.hpp"
#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"

namespace dumpster::rocks {

/// Says what clusters, groups, resubmissions and spool are like now. Gauges are looked up by their labels, so
/// this is done before they are read and not with every write.
void show_gauges(const Tables& tables, const TrafficBook& traffic, const SpoolTotals& spool, Instant now,
                 metrics::HubMetrics& metrics);

}  // namespace dumpster::rocks
