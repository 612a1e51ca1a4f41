#include <fstream>
#include <sstream>

#include "dumpster/verify.hpp"
#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_content(const fs::path& path, const std::string& content) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out << content;
}

/// Every file but RocksDB's own log and lock, with its bytes.
std::map<std::string, std::string> content_of_folder(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.starts_with("LOG") || name == "LOCK") continue;
    files[entry.path().string()] = content_of(entry.path());
  }
  return files;
}

/// What was there is still there, byte for byte.
void check_untouched(const std::map<std::string, std::string>& before, const fs::path& folder) {
  const auto after = content_of_folder(folder);
  for (const auto& [path, bytes] : before) {
    INFO(path);
    REQUIRE(after.contains(path));
    CHECK(after.at(path) == bytes);
  }
}

class OpeningFixture : public StoreFixture {
 public:
  /// Stops the store but leaves its files as a crash of the machine would right now.
  void crash() {
    const auto image = path().parent_path() / "image";
    fs::copy(path(), image, fs::copy_options::recursive);
    shut();
    fs::remove_all(path());
    fs::rename(image, path());
  }

  fs::path largest(const std::string& extension) {
    fs::path found;
    for (const auto& entry : fs::directory_iterator{path() / "db"}) {
      if (entry.path().extension() != extension) continue;
      if (found.empty() || entry.file_size() > fs::file_size(found)) found = entry.path();
    }
    REQUIRE_FALSE(found.empty());
    return found;
  }

  Error refused() {
    const auto before = content_of_folder(path());
    const auto opened = try_open();
    REQUIRE(opened.has_error());
    check_untouched(before, path());
    return opened.error();
  }
};

}  // namespace

TEST_CASE_METHOD(OpeningFixture, "a flipped bit anywhere in the log is refused and nothing is destroyed") {
  for (int i = 0; i < 20; ++i)
    accept({"alice@example.test"}, 5000);
  crash();
  const auto log = largest(".log");
  const auto intact = content_of(log);
  for (const double place : {0.02, 0.3, 0.5, 0.9, 0.99}) {
    auto damaged = intact;
    damaged.at(static_cast<std::size_t>(static_cast<double>(damaged.size()) * place)) ^= 0x10;
    write_content(log, damaged);
    INFO("at " << place);
    CHECK(refused().fault == Fault::damaged);
  }
  write_content(log, intact);
  reopen();
  CHECK(spool_size() == 20);
}

TEST_CASE_METHOD(OpeningFixture, "a log whose end is torn off opens with everything before") {
  std::vector<Message> messages;
  for (int i = 0; i < 20; ++i)
    messages.push_back(accept({"alice@example.test"}, 5000));
  crash();
  const auto log = largest(".log");
  const auto intact = content_of(log);
  const int torn = GENERATE(1, 100, 4000);
  write_content(log, intact.substr(0, intact.size() - static_cast<std::size_t>(torn)));
  reopen();
  CHECK(spool_size() == 19);
  CHECK(body(messages[18].key).value() == body_of(messages[18]));
  CHECK_FALSE(store().identity().clean_shutdown);
}

TEST_CASE_METHOD(OpeningFixture, "a flipped bit in a table is reported as damage, never as a wrong answer") {
  std::vector<Message> messages;
  for (int i = 0; i < 50; ++i)
    messages.push_back(accept({"alice@example.test"}, 500));
  shut();
  const auto intact = content_of_folder(path());
  std::size_t found_out = 0;
  for (const auto& [file, bytes] : intact) {
    if (fs::path{file}.extension() != ".sst") continue;
    for (const double place : {0.1, 0.4, 0.6}) {
      auto damaged = bytes;
      damaged.at(static_cast<std::size_t>(static_cast<double>(damaged.size()) * place)) ^= 0x01;
      write_content(file, damaged);
      auto opened = try_open();
      if (opened.has_error()) {
        INFO(opened.error().detail);
        CHECK(opened.error().fault == Fault::damaged);
        ++found_out;
      } else {
        for (const auto& message : messages) {
          const auto loaded = wait_for<std::optional<SpooledMessage>>(
              [&](auto done) { (*opened)->load(message.key, std::move(done)); });
          if (loaded.has_error()) {
            CHECK(loaded.error().fault == Fault::damaged);
            ++found_out;
            break;
          }
          REQUIRE(loaded->has_value());
          REQUIRE((*loaded)->message == message);
        }
        opened->reset();
      }
      fs::remove_all(path());
      fs::create_directories(path() / "db");
      for (const auto& [name, content] : intact)
        write_content(name, content);
    }
  }
  CHECK(found_out > 0);
}

TEST_CASE_METHOD(OpeningFixture, "a flipped bit in a body is reported as damage") {
  std::vector<Message> messages;
  for (int i = 0; i < 20; ++i)
    messages.push_back(accept({"alice@example.test"}, 5000));
  shut();
  const auto blob = largest(".blob");
  const auto intact = content_of(blob);
  auto damaged = intact;
  damaged.at(damaged.size() / 2) ^= 0x01;
  write_content(blob, damaged);
  const auto verification = verify_store(path());
  REQUIRE(verification.has_value());
  CHECK_FALSE(verification->sound());
  reopen(false);
  std::size_t found_out = 0;
  for (const auto& message : messages) {
    const auto read = body(message.key);
    if (read.has_error()) {
      CHECK(read.error().fault == Fault::damaged);
      ++found_out;
    } else {
      CHECK(*read == body_of(message));
    }
  }
  CHECK(found_out == 1);
  shut();
  write_content(blob, intact);
  reopen();
}

TEST_CASE_METHOD(OpeningFixture, "a store of a newer format is refused and left as it is") {
  accept();
  shut();
  write_content(path() / "FORMAT", "transport-dumpster store\nformat 99\ncomplete\n");
  const auto error = refused();
  CHECK(error.fault == Fault::invalid);
  CHECK(error.detail.find("format 99") != std::string::npos);
  write_content(path() / "FORMAT", "transport-dumpster store\nformat 2\ncomplete\n");
  reopen();
  CHECK(spool_size() == 1);
}

TEST_CASE_METHOD(OpeningFixture, "a folder of something else is refused and left as it is") {
  shut();
  SECTION("files of another program") {
    fs::remove_all(path());
    fs::create_directories(path());
    write_content(path() / "precious.txt", "do not touch");
    CHECK(refused().fault == Fault::invalid);
    CHECK_FALSE(fs::exists(path() / "db"));
  }
  SECTION("a format file of another program") {
    write_content(path() / "FORMAT", "something else\n");
    CHECK(refused().fault == Fault::invalid);
  }
  SECTION("a damaged format file") {
    write_content(path() / "FORMAT", "transport-dumpster store\nformat");
    CHECK(refused().fault == Fault::damaged);
  }
  SECTION("a file instead of a folder") {
    fs::remove_all(path());
    write_content(path(), "a file");
    const auto opened = try_open();
    REQUIRE(opened.has_error());
    CHECK(opened.error().fault == Fault::invalid);
    CHECK(content_of(path()) == "a file");
  }
}

TEST_CASE_METHOD(OpeningFixture, "a store that has lost its database or a part of it does not begin anew") {
  accept();
  shut();
  SECTION("all of it") {
    fs::remove_all(path() / "db");
  }
  SECTION("the file that names the others") {
    fs::remove(path() / "db" / "CURRENT");
  }
  SECTION("a table") {
    fs::remove(largest(".sst"));
  }
  const auto error = refused();
  CHECK(error.fault == Fault::damaged);
}

TEST_CASE_METHOD(OpeningFixture, "a store that another one has open is refused with a word about that") {
  const auto second = try_open();
  REQUIRE(second.has_error());
  CHECK(second.error().detail.find("another process") != std::string::npos);
  accept();
  CHECK(spool_size() == 1);
}

TEST_CASE_METHOD(OpeningFixture, "the making of a store that was interrupted is finished at the next start") {
  shut();
  write_content(path() / "FORMAT", "transport-dumpster store\nformat 1\ncreating\n");
  SECTION("before the database") {
    fs::remove_all(path() / "db");
  }
  SECTION("behind it") {}
  reopen();
  accept();
  reopen();
  CHECK(spool_size() == 1);
}
