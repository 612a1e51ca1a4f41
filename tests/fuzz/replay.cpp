// Runs a fuzzer's function once for each file of the folders given.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzzing.hpp"

int main(int argc, char** argv) {
  std::size_t inputs = 0;
  for (int argument = 1; argument < argc; ++argument) {
    for (const auto& entry : std::filesystem::directory_iterator{argv[argument]}) {
      std::ifstream file{entry.path(), std::ios::binary};
      const std::vector<char> bytes(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++inputs;
    }
  }
  std::cout << inputs << " inputs\n";
  return inputs > 0 ? 0 : 1;
}
