#include "relay/hub/file_watch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

using relay::FileWatch;
namespace fs = std::filesystem;

namespace {

/// A file in a folder of its own, whose times are set: looks cost no time.
class Watched {
 public:
  Watched() : folder_(fs::temp_directory_path() / ("file-watch-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    write("old\n");
  }
  ~Watched() { fs::remove_all(folder_); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  fs::path path() const { return folder_ / "recipients"; }
  void write(const std::string& text) { std::ofstream{path(), std::ios::trunc} << text; }
  void append(const std::string& text) { std::ofstream{path(), std::ios::app} << text; }
  void replace(const std::string& text) {
    std::ofstream{folder_ / "new"} << text;
    fs::rename(folder_ / "new", path());
  }

 private:
  fs::path folder_;
};

/// A watch that has seen a fresh file as changed once more, as it must.
FileWatch settled(const Watched& file) {
  FileWatch watch{file.path()};
  while (!watch.look()) {
  }
  return watch;
}

}  // namespace

TEST_CASE("a file that was changed a moment ago counts as changed once more, and then no more") {
  const Watched file;
  FileWatch watch{file.path()};
  CHECK(watch.look());
  CHECK_FALSE(watch.look());
  CHECK_FALSE(watch.look());
  CHECK(watch.unchanged());
}

TEST_CASE("a file that was renamed into its place is seen when it has been there for two looks") {
  Watched file;
  auto watch = settled(file);
  file.replace("new\n");
  CHECK_FALSE(watch.unchanged());
  CHECK_FALSE(watch.look());
  CHECK(watch.look());
  CHECK_FALSE(watch.look());
}

TEST_CASE("a file that still grows is not seen before it stands still") {
  Watched file;
  auto watch = settled(file);
  for (int i = 0; i < 20; ++i) {
    file.append("more\n");
    CHECK_FALSE(watch.look());
  }
  CHECK(watch.look());
}

TEST_CASE("a file that seems unfinished gets more time") {
  Watched file;
  auto watch = settled(file);
  SECTION("its last line has no end") {
    file.write("old\nne");
  }
  SECTION("it is empty") {
    file.write("");
  }
  SECTION("it is gone") {
    fs::remove(file.path());
  }
  for (int i = 0; i < 5; ++i)
    CHECK_FALSE(watch.look());
  CHECK(watch.look());
  CHECK_FALSE(watch.look());
  file.write("new\n");
  CHECK_FALSE(watch.look());
  CHECK(watch.look());
}

TEST_CASE("what is written while the file is read is seen afterwards") {
  Watched file;
  auto watch = settled(file);
  file.append("more\n");
  CHECK_FALSE(watch.look());
  CHECK(watch.look());
  file.append("and more\n");
  CHECK_FALSE(watch.unchanged());
  CHECK_FALSE(watch.look());
  CHECK(watch.look());
  CHECK(watch.unchanged());
}
