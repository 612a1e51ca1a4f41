#include "recovery/agent/surroundings.hpp"

#include <thread>

namespace recovery::agent {

void HubWork::give_up(const HubError& error) {
  going = false;
  report.failed_call = error.kind != HubError::Kind::unreachable;
  report.trouble = error.detail.empty() ? "no answer" : error.detail;
}

void side_by_side(std::vector<HubWork>& hubs, const std::function<void(HubWork&)>& step) {
  std::vector<std::thread> threads;
  for (HubWork& hub : hubs) {
    if (!hub.going) continue;
    threads.emplace_back([&step, &hub] { step(hub); });
  }
  for (std::thread& thread : threads)
    thread.join();
}

}  // namespace recovery::agent
