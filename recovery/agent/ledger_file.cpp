#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>

#include "recovery/agent/durable_file.hpp"
#include "recovery/agent/ledger.hpp"
#include "recovery/agent/ledger_records.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

// The file is a head (`ledger_head`), then frames: length and CRC-32 of a payload of records, both four bytes
// with the lowest first, and the payload. A frame is what one `save` wrote. Reading ends at the first frame
// that is not whole: what is before it is a true earlier state of the ledger, from whose cursors the hubs are
// asked again.
constexpr std::size_t frame_head = 8;
constexpr std::size_t compaction_payload = 1U << 20;  ///< bytes of records in one frame of a compact file

std::uint32_t checksum(std::string_view payload) {
  boost::crc_32_type crc;
  crc.process_bytes(payload.data(), payload.size());
  return crc.checksum();
}

std::string frame_of(std::string_view payload) {
  std::string frame;
  put_number(frame, static_cast<std::uint32_t>(payload.size()));
  put_number(frame, checksum(payload));
  frame += payload;
  return frame;
}

class LedgerFile final : public LedgerStore {
 public:
  explicit LedgerFile(const std::string& directory) : path_(directory + "/ledger"), ledger_("") {}

  Result<Ledger*> open(const std::string& marker) override {
    pending_.clear();
    if (loaded_ && ledger_.marker() == marker && stamp() == stamp_) return &ledger_;
    ledger_ = Ledger{marker};
    writer_ = LedgerWriter{};
    if (const auto read = load(marker); !read) return read.error();
    loaded_ = true;
    return &ledger_;
  }

  void confirm(const Ledger::Entry& entry) override {
    if (ledger_.copies(entry.mailbox, entry.delivery) >= entry.copies) return;
    ledger_.confirm(entry);
    writer_.add(pending_, entry);
  }

  void set_watermark(const DumpsterName& dumpster, const Watermark& watermark) override {
    const Watermark* known = ledger_.watermark(dumpster);
    if (known != nullptr && *known == watermark) return;
    ledger_.set_watermark(dumpster, watermark);
    writer_.add(pending_, dumpster, watermark);
  }

  Result<void> save() override {
    if (pending_.empty()) return {};
    const std::string frame = frame_of(std::exchange(pending_, {}));
    if (length_ == 0) return rewrite();
    const Descriptor file{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
    // Behind the last whole frame, over whatever a crash has left there.
    const bool written = file.get() >= 0 && ::ftruncate(file.get(), static_cast<off_t>(length_)) == 0 &&
                         ::lseek(file.get(), 0, SEEK_END) >= 0 && write_all(file.get(), frame) &&
                         ::fdatasync(file.get()) == 0;
    if (!written) return failed("cannot be written");
    length_ += frame.size();
    stamp_ = stamp();
    return {};
  }

  Result<void> compact(const std::map<DumpsterName, Instant>& keep_from, std::size_t most) override {
    ledger_.forget(keep_from, most);
    return rewrite();
  }

 private:
  using Stamp = std::pair<ino_t, off_t>;

  Error failed(const std::string& what) {
    const std::string reason = std::strerror(errno);
    loaded_ = false;
    return {Fault::unavailable, path_ + " " + what + ": " + reason};
  }

  Stamp stamp() const {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) return {};
    return {status.st_ino, status.st_size};
  }

  Result<void> load(const std::string& marker) {
    length_ = 0;
    stamp_ = stamp();
    const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.get() < 0 && errno == ENOENT) return {};
    if (file.get() < 0) return failed("cannot be opened");
    std::string text;
    if (!read_to_end(file.get(), text)) return failed("cannot be read");
    const std::string head = ledger_head(marker);
    if (!text.starts_with(head)) return {};  // of another marker: void
    std::string_view rest = std::string_view{text}.substr(head.size());
    length_ = head.size();
    LedgerReader reader{ledger_, writer_};
    while (rest.size() >= frame_head) {
      const auto size = number_at<std::uint32_t>(rest, 0);
      if (rest.size() - frame_head < size) break;
      const std::string_view payload = rest.substr(frame_head, size);
      if (checksum(payload) != number_at<std::uint32_t>(rest, 4) || !reader.read(payload)) break;
      rest.remove_prefix(frame_head + size);
      length_ += frame_head + size;
    }
    return {};
  }

  static bool read_to_end(int fd, std::string& text) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return false;
    text.resize(static_cast<std::size_t>(status.st_size));
    std::size_t filled = 0;
    while (filled < text.size()) {
      const ssize_t count = ::read(fd, text.data() + filled, text.size() - filled);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      if (count == 0) break;
      filled += static_cast<std::size_t>(count);
    }
    text.resize(filled);
    return true;
  }

  Result<void> rewrite() {
    std::string text = ledger_head(ledger_.marker());
    std::string payload;
    writer_ = LedgerWriter{};
    ledger_.each([&](const Ledger::Entry& entry) {
      writer_.add(payload, entry);
      if (payload.size() > compaction_payload) text += frame_of(std::exchange(payload, {}));
    });
    for (const auto& [dumpster, watermark] : ledger_.watermarks())
      writer_.add(payload, dumpster, watermark);
    if (!payload.empty()) text += frame_of(payload);
    const auto replaced = replace_file(path_, text, 0600);
    if (!replaced) {
      loaded_ = false;
      return replaced.error();
    }
    pending_.clear();
    length_ = text.size();
    stamp_ = stamp();
    return {};
  }

  std::string path_;
  Ledger ledger_;
  LedgerWriter writer_;
  std::string pending_;     ///< records that no frame has yet
  std::size_t length_ = 0;  ///< of what is whole in the file; 0: there is no file of this marker
  Stamp stamp_;             ///< of the file as this object left it
  bool loaded_ = false;
};

}  // namespace

std::unique_ptr<LedgerStore> make_ledger_file(const std::string& directory) {
  return std::make_unique<LedgerFile>(directory);
}

}  // namespace recovery::agent
