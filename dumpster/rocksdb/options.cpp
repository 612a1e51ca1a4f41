#include "dumpster/rocksdb/options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <array>
#include <cstdarg>
#include <cstdio>

#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

/// What RocksDB has to say goes into our log. Its own log file would be written on the disk that is full or
/// sick at the very moment, and after the first failed write to it, Debian's build stops the process with an
/// assertion.
class ForwardingLogger final : public rocksdb::Logger {
 public:
  ForwardingLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    std::string_view line{text.data()};
    while (line.ends_with('\n'))
      line.remove_suffix(1);
    metrics::log_warning("rocksdb", {{"text", line}});
  }
};

constexpr std::size_t MiB = 1024 * 1024;

constexpr std::array<const char*, family_count> names{"default", "messages", "bodies",        "spool",
                                                      "lines",   "ids",      "resubmissions", "history"};

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = 8 * MiB;
  options.target_file_size_base = 8 * MiB;
  options.max_bytes_for_level_base = 64 * MiB;
  options.compression = rocksdb::kLZ4Compression;
  // A queue leaves tombstones where the next search begins: files that are mostly tombstones are compacted
  // soon.
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(4096, 2048, 0.5));
  return options;
}

/// Bodies come and go in the order of time. As blobs they are not rewritten when their keys are compacted,
/// and the space of removed ones comes back file by file. RocksDB's own collection with every compaction
/// stays off: it rewrites bodies that are about to go anyway and doubles what is written. `Reclaiming` does
/// it when it is worth it.
void keep_as_blobs(rocksdb::ColumnFamilyOptions& options) {
  options.write_buffer_size = 16 * MiB;
  options.max_write_buffer_number = 4;
  options.compression = rocksdb::kNoCompression;
  // Tombstones soon meet what they remove: with the values elsewhere these files are small.
  options.level0_file_num_compaction_trigger = 2;
  options.enable_blob_files = true;
  options.min_blob_size = 1024;
  options.blob_file_size = 32 * MiB;
  options.blob_compression_type = rocksdb::kLZ4Compression;
}

/// Whole files go, the oldest first, when there are too many or they are too old: no tombstones, no
/// accounting.
void keep_as_history(rocksdb::ColumnFamilyOptions& options) {
  options.write_buffer_size = 2 * MiB;
  options.compaction_style = rocksdb::kCompactionStyleFIFO;
  options.compaction_options_fifo.max_table_files_size = history_size;
  options.ttl = std::chrono::duration_cast<std::chrono::seconds>(history_age).count();
  options.table_properties_collector_factories.clear();
}

}  // namespace

std::string name_of(Family family) {
  return names.at(static_cast<std::size_t>(family));
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.paranoid_checks = true;
  // A log that ends within a record was cut off in an unsynced write: nothing in it was acknowledged. A
  // record that does not carry its checksum is damage, wherever it stands, and must not open: the other modes
  // either drop what was acknowledged behind it or refuse the torn end as well.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.avoid_flush_during_recovery = false;
  // After a failed write nothing is acknowledged until the store is opened again; no recovery behind our
  // back.
  options.max_bgerror_resume_count = 0;
  options.max_write_batch_group_size_bytes = 32 * MiB;
  options.max_total_wal_size = 64 * MiB;
  options.db_write_buffer_size = 64 * MiB;
  options.max_background_jobs = 2;
  // All of them: the age limit of the history is refused by RocksDB otherwise.
  options.max_open_files = -1;
  options.bytes_per_sync = MiB;
  options.info_log = std::make_shared<ForwardingLogger>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors() {
  const auto cache = rocksdb::NewLRUCache(16 * MiB);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < family_count; ++i) {
    auto options = family_options(cache);
    if (static_cast<Family>(i) == Family::bodies) keep_as_blobs(options);
    if (static_cast<Family>(i) == Family::history) keep_as_history(options);
    families.emplace_back(names.at(i), options);
  }
  return families;
}

}  // namespace dumpster::rocks
