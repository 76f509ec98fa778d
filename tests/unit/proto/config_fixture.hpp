// What the tests of configs share: a folder that goes away, and short ways to parse.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/proto/experiment_config.hpp>

namespace lathe::proto {

/// A new empty folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lathe-proto-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = std::filesystem::canonical(name);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// Text of all errors, one a line; empty when there are none.
template <class T>
std::string errors_of(const Checked<T>& result) {
  return result ? std::string() : to_string(result.error());
}

/// A folder with a model and data beside which configs are parsed as `config.yml`.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    for (const char* name : {"model.pt", "images.idx", "labels.idx", "batch1.bin", "batch2.bin", "tensors.pt",
                             "inputs.npy", "targets.npy", "pictures/cat/1.png"}) {
      folder.write(name, "x");
    }
  }

  [[nodiscard]] ConfigOrigin origin() const { return {.file = "config.yml", .search_path = {folder.path()}}; }
  [[nodiscard]] Checked<ExperimentConfig> parse(std::string_view text) const {
    return parse_experiment_config(text, origin());
  }
  [[nodiscard]] std::string errors(std::string_view text) const { return errors_of(parse(text)); }

  TemporaryFolder folder;
};

}  // namespace lathe::proto
