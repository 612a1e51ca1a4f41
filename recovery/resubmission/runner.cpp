#include "recovery/resubmission/runner.hpp"

#include <boost/asio/post.hpp>

#include "metrics/log.hpp"

namespace recovery {

namespace asio = boost::asio;

namespace {

// Short enough that a fast node does not run out of work between two looks.
constexpr std::chrono::milliseconds look_every{50};
constexpr std::chrono::seconds after_refusal{5};

}  // namespace

struct ResubmissionRunner::State : std::enable_shared_from_this<ResubmissionRunner::State> {
  State(asio::any_io_executor on, dumpster::Store& of, RunningRelay& beside)
      : executor(std::move(on)), store(of), relay(beside), timer(executor) {}

  struct AtWork {
    explicit AtWork(double rate) : pace(rate) {}
    Pace pace;
    bool busy = false;                                   ///< an answer of relay or store is awaited
    std::chrono::steady_clock::time_point not_before{};  ///< the store has refused
    std::string pause;
  };

  /// Carries a completion to the runner's own thread; it comes to nothing when the runner is gone.
  template <class T, class Then>
  auto here(Then then) {
    return [weak = weak_from_this(), executor = executor, then = std::move(then)](T value) {
      if (weak.expired()) return;
      asio::post(executor, [weak, then, value = std::move(value)]() mutable {
        if (const auto state = weak.lock()) then(*state, std::move(value));
      });
    };
  }

  void tick();
  void look();
  void look_at(const std::string& cluster, AtWork& at_work);
  void weighed(const std::string& cluster, const ClusterLoad& load);
  void note_pause(const std::string& cluster, AtWork& at_work, std::string reason);
  void settle();
  void reload(dumpster::Result<std::vector<dumpster::Uuid>> touched);

  asio::any_io_executor executor;
  dumpster::Store& store;
  RunningRelay& relay;
  asio::steady_timer timer;
  std::map<std::string, AtWork> clusters;
  bool settling = false;
  std::chrono::steady_clock::time_point settle_not_before{};
  bool stopped = false;
};

void ResubmissionRunner::State::tick() {
  timer.expires_after(look_every);
  timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto state = weak.lock();
    if (error || !state || state->stopped) return;
    state->look();
    state->tick();
  });
}

void ResubmissionRunner::State::look() {
  if (stopped || !store.writable()) return;
  for (auto& [name, at_work] : clusters)
    look_at(name, at_work);
}

void ResubmissionRunner::State::look_at(const std::string& cluster, AtWork& at_work) {
  const auto work = store.resubmission_work(cluster);
  if (work.unsettled) settle();
  const bool something = work.running > 0 || work.paused > 0;
  if (!something) at_work.pause.clear();
  if (at_work.busy || !something || std::chrono::steady_clock::now() < at_work.not_before) return;
  at_work.busy = true;
  relay.load(cluster, here<ClusterLoad>([cluster](State& state, const ClusterLoad& load) {
               state.weighed(cluster, load);
             }));
}

void ResubmissionRunner::State::weighed(const std::string& cluster, const ClusterLoad& load) {
  auto& at_work = clusters.at(cluster);
  at_work.busy = false;
  if (stopped) return;
  const auto work = store.resubmission_work(cluster);
  auto decision = at_work.pace.decide(work, load, std::chrono::steady_clock::now());
  const bool pauses = !decision.pause.empty();
  note_pause(cluster, at_work, std::move(decision.pause));
  using Touched = dumpster::Result<std::vector<dumpster::Uuid>>;
  if (pauses ? work.running > 0 : work.paused > 0) {
    at_work.busy = true;
    store.pause(cluster, pauses, here<dumpster::Result<dumpster::Done>>([cluster](State& state, const auto&) {
                  state.clusters.at(cluster).busy = false;
                  state.look();
                }));
  } else if (decision.release > 0) {
    at_work.busy = true;
    store.release(cluster, decision.release, here<Touched>([cluster](State& state, Touched touched) {
                    auto& released = state.clusters.at(cluster);
                    released.busy = false;
                    if (!touched) released.not_before = std::chrono::steady_clock::now() + after_refusal;
                    state.reload(std::move(touched));
                  }));
  }
}

void ResubmissionRunner::State::note_pause(const std::string& cluster, AtWork& at_work, std::string reason) {
  if (reason == at_work.pause) return;
  if (reason.empty()) {
    metrics::log_info("resubmissions go on", {{"cluster", cluster}});
  } else {
    metrics::log_info("resubmissions pause", {{"cluster", cluster}, {"reason", reason}});
  }
  at_work.pause = std::move(reason);
}

void ResubmissionRunner::State::settle() {
  if (settling || std::chrono::steady_clock::now() < settle_not_before) return;
  settling = true;
  using Touched = dumpster::Result<std::vector<dumpster::Uuid>>;
  store.settle_resubmissions(here<Touched>([](State& state, Touched touched) {
    state.settling = false;
    const bool done = touched.has_value();
    if (!done) state.settle_not_before = std::chrono::steady_clock::now() + after_refusal;
    state.reload(std::move(touched));
    if (done) state.look();  // the next piece at once
  }));
}

void ResubmissionRunner::State::reload(dumpster::Result<std::vector<dumpster::Uuid>> touched) {
  if (touched && !touched->empty()) relay.reload(std::move(*touched));
  if (!touched && touched.error().fault != dumpster::Fault::unavailable)
    metrics::log_error("resubmissions do not go on", {{"reason", touched.error().detail}});
}

ResubmissionRunner::ResubmissionRunner(asio::any_io_executor executor, dumpster::Store& store,
                                       RunningRelay& relay, std::vector<std::string> clusters, double rate)
    : state_(std::make_shared<State>(std::move(executor), store, relay)) {
  for (auto& cluster : clusters)
    state_->clusters.emplace(std::move(cluster), State::AtWork{rate});
}

ResubmissionRunner::~ResubmissionRunner() {
  stop();
}

void ResubmissionRunner::start() {
  state_->tick();
}

void ResubmissionRunner::stop() {
  state_->stopped = true;
  state_->timer.cancel();
}

void ResubmissionRunner::set_rate(double rate) {
  for (auto& [name, at_work] : state_->clusters)
    at_work.pace.set_rate(rate);
}

void ResubmissionRunner::wake() {
  state_->look();
}

std::string ResubmissionRunner::paused_because(const std::string& cluster) const {
  const auto found = state_->clusters.find(cluster);
  return found == state_->clusters.end() ? std::string{} : found->second.pause;
}

}  // namespace recovery
