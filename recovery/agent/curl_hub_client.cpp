#include "recovery/agent/curl_hub_client.hpp"

#include <curl/curl.h>

#include <boost/json.hpp>
#include <mutex>
#include <utility>

#include "recovery/agent/hub_answers.hpp"

namespace recovery::agent {
namespace {

HubError fault(HubError::Kind kind, std::string detail) {
  HubError error;
  error.kind = kind;
  error.detail = std::move(detail);
  return error;
}

std::string escaped(const std::string& text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      result += c;
    } else {
      result += {'%', hex[byte >> 4], hex[byte & 15]};
    }
  }
  return result;
}

struct HeaderList {
  curl_slist* list = nullptr;

  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

/// What comes in of one answer: a success goes to `take` piece by piece, anything else is kept for its
/// problem detail.
struct Receiver {
  CURL* handle = nullptr;
  std::function<HubResult<void>(std::string_view)> take;
  std::string problem;
  std::optional<HubError> error;

  static constexpr std::size_t largest_problem = 64 << 10;

  bool receive(std::string_view piece) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299) {
      problem.append(piece.substr(0, largest_problem - problem.size()));
      return true;
    }
    if (const auto taken = take(piece); !taken) error = taken.error();
    return !error;
  }
};

std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* receiver) {
  const bool go_on = static_cast<Receiver*>(receiver)->receive({data, size * count});
  return go_on ? size * count : 0;
}

int on_progress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(stop) ? 1 : 0;
}

/// Cuts a stream into lines and reads each.
class ListingReader {
 public:
  ListingReader(std::size_t largest, const std::function<void(ListedDelivery)>& line)
      : largest_(largest), line_(line) {}

  HubResult<void> take(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      partial_.append(piece.substr(0, end));
      if (partial_.size() > largest_)
        return fault(HubError::Kind::malformed, "a line of the listing is too long");
      if (end == std::string_view::npos) break;
      piece.remove_prefix(end + 1);
      if (const auto read = read_line(); !read) return read;
    }
    return {};
  }

  HubResult<ListingEnd> finish() {
    if (!partial_.empty()) {
      if (const auto read = read_line(); !read) return read.error();
    }
    if (!end_) return fault(HubError::Kind::malformed, "the listing broke off before its last line");
    if (end_->count != seen_) {
      return fault(HubError::Kind::malformed, "the listing has " + std::to_string(seen_) +
                                                  " deliveries and says " + std::to_string(end_->count));
    }
    return *end_;
  }

 private:
  HubResult<void> read_line() {
    const std::string text = std::exchange(partial_, {});
    if (text.empty()) return {};
    if (end_) return fault(HubError::Kind::malformed, "the listing goes on after its last line");
    auto read = listing_line_from(text);
    if (!read) return read.error();
    if (auto* delivery = std::get_if<ListedDelivery>(&*read)) {
      ++seen_;
      line_(std::move(*delivery));
    } else {
      end_ = std::get<ListingEnd>(*read);
    }
    return {};
  }

  std::size_t largest_;
  const std::function<void(ListedDelivery)>& line_;
  std::string partial_;
  std::uint64_t seen_ = 0;
  std::optional<ListingEnd> end_;
};

class CurlHubClient final : public HubClient {
 public:
  explicit CurlHubClient(CurlHubClientSettings settings) : settings_(std::move(settings)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    handle_ = curl_easy_init();
  }
  ~CurlHubClient() override { curl_easy_cleanup(handle_); }

  const std::string& address() const override { return settings_.address; }
  void set_in_touch(bool in_touch) override { in_touch_ = in_touch; }

  HubResult<HubIdentity> hub() override { return read(call("GET", "/v1/hub", nullptr), identity_from); }

  HubResult<ClusterStatus> cluster(const std::string& cluster) override {
    return read(call("GET", "/v1/clusters/" + escaped(cluster), nullptr), cluster_from);
  }

  HubResult<ActivationAnswer> activate(const std::string& cluster, const std::string& node,
                                       std::uint64_t term, dumpster::ActivationKind kind) override {
    const std::string body = boost::json::serialize(
        boost::json::object{{"node", node}, {"term", term}, {"kind", std::string{to_string(kind)}}});
    return read(call("POST", "/v1/clusters/" + escaped(cluster) + "/activations", &body), activation_from);
  }

  HubResult<ListingEnd> list(const dumpster::StorageGroup& group, const ListingQuery& query,
                             const std::function<void(ListedDelivery)>& line) override {
    std::string path = path_of(group) + "/deliveries?from=" + escaped(dumpster::to_rfc3339(query.from));
    if (query.until) path += "&until=" + escaped(dumpster::to_rfc3339(*query.until));
    if (query.state) path += "&state=" + std::string{to_string(*query.state)};
    ListingReader reader{settings_.largest_line, line};
    const auto take = [&reader](std::string_view piece) { return reader.take(piece); };
    const auto done = transfer("GET", path, nullptr, settings_.listing_deadline, take);
    if (!done) return done.error();
    return reader.finish();
  }

  HubResult<ResubmissionAnswer> resubmit(const dumpster::StorageGroup& group,
                                         const std::string& body) override {
    return read(call("POST", path_of(group) + "/resubmissions", &body, settings_.order_deadline),
                resubmission_from);
  }

  HubResult<ResubmissionAnswer> resubmission(const std::string& id) override {
    return read(call("GET", "/v1/resubmissions/" + escaped(id), nullptr), resubmission_from);
  }

  HubResult<void> absent(const dumpster::StorageGroup& group, const std::string& body) override {
    const auto answer = call("POST", path_of(group) + "/absent", &body, settings_.order_deadline);
    if (!answer) return answer.error();
    return {};
  }

  HubResult<void> replicated(const dumpster::StorageGroup& group, const std::string& node,
                             Instant through) override {
    const std::string body = boost::json::serialize(
        boost::json::object{{"node", node}, {"through", dumpster::to_rfc3339(through)}});
    const auto answer = call("PUT", path_of(group) + "/replicated", &body);
    if (!answer) return answer.error();
    return {};
  }

  HubResult<void> recovered(const std::string& cluster, const std::string& node,
                            std::uint64_t term) override {
    const std::string body = boost::json::serialize(boost::json::object{{"node", node}, {"term", term}});
    const auto answer = call("POST", "/v1/clusters/" + escaped(cluster) + "/recovered", &body);
    if (!answer) return answer.error();
    return {};
  }

 private:
  static std::string path_of(const dumpster::StorageGroup& group) {
    return "/v1/clusters/" + escaped(group.cluster) + "/storage-groups/" + escaped(group.group);
  }

  template <class Read>
  static auto read(const HubResult<std::string>& answer, Read reader) -> decltype(reader(*answer)) {
    if (!answer) return answer.error();
    return reader(*answer);
  }

  HubResult<std::string> call(const char* method, const std::string& path, const std::string* body) {
    return call(method, path, body, settings_.call_deadline);
  }

  HubResult<std::string> call(const char* method, const std::string& path, const std::string* body,
                              std::chrono::milliseconds deadline) {
    std::string answer;
    const auto take = [&](std::string_view piece) -> HubResult<void> {
      if (answer.size() + piece.size() > settings_.largest_answer) {
        return fault(HubError::Kind::malformed, "the answer is too large");
      }
      answer.append(piece);
      return {};
    };
    const auto done = transfer(method, path, body, deadline, take);
    if (!done) return done.error();
    return answer;
  }

  HubResult<void> transfer(const char* method, const std::string& path, const std::string* body,
                           std::chrono::milliseconds deadline,
                           std::function<HubResult<void>(std::string_view)> take) {
    HeaderList headers;
    headers.add("Authorization: Bearer " + settings_.token);
    // With the semicolon libcurl sends the field without a value.
    headers.add(in_touch_ ? "Dumpster-Node: " + settings_.node : "Dumpster-Node;");
    if (body != nullptr) headers.add("Content-Type: application/json");
    headers.add("Expect:");  // no 100-continue: one round trip less, and a refusal is read anyway
    Receiver receiver;
    receiver.handle = handle_;
    receiver.take = std::move(take);
    prepare(deadline);
    const std::string url = settings_.address + path;
    curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &receiver);
    if (body != nullptr) {
      curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, body->data());
      curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    }
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, method);
    const CURLcode code = curl_easy_perform(handle_);
    return outcome(code, receiver);
  }

  void prepare(std::chrono::milliseconds deadline) {
    curl_easy_reset(handle_);
    curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle_, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(settings_.connect_deadline.count()));
    curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(deadline.count()));
    curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);  // bytes a second
    curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, error_text_);
    if (settings_.stop != nullptr) {
      curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
      curl_easy_setopt(handle_, CURLOPT_XFERINFOFUNCTION, on_progress);
      curl_easy_setopt(handle_, CURLOPT_XFERINFODATA, settings_.stop);
    }
    if (!settings_.ca.empty()) curl_easy_setopt(handle_, CURLOPT_CAINFO, settings_.ca.c_str());
    if (!settings_.certificate.empty()) {
      curl_easy_setopt(handle_, CURLOPT_SSLCERT, settings_.certificate.c_str());
      curl_easy_setopt(handle_, CURLOPT_SSLKEY, settings_.key.c_str());
    }
    error_text_[0] = '\0';
  }

  HubResult<void> outcome(CURLcode code, const Receiver& receiver) const {
    if (receiver.error) return *receiver.error;
    if (code != CURLE_OK) {
      const std::string text = error_text_[0] != '\0' ? error_text_ : curl_easy_strerror(code);
      return fault(HubError::Kind::unreachable, text);
    }
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status <= 299) return {};
    return refusal_from(static_cast<unsigned>(status), receiver.problem);
  }

  CurlHubClientSettings settings_;
  CURL* handle_ = nullptr;
  bool in_touch_ = true;
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace

std::unique_ptr<HubClient> make_curl_hub_client(CurlHubClientSettings settings) {
  return std::make_unique<CurlHubClient>(std::move(settings));
}

}  // namespace recovery::agent
