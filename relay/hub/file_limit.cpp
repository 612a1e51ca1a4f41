#include "relay/hub/file_limit.hpp"

#include <sys/resource.h>

#include "metrics/log.hpp"

namespace relay {
namespace {

constexpr std::uint64_t own_files = 1024;  // store, next hops, HTTP

}  // namespace

void raise_file_limit(std::uint64_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < connections + own_files) {
    metrics::log_warning("the limit of open files is below max_connections",
                         {{"limit", limit.rlim_max}, {"max_connections", connections}});
  }
}

}  // namespace relay
