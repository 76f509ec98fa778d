// A tiny experiment on disk, and a way to run the built lathe-trial on it: for tests of the program as a whole.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <lathe/proto/compression_config.hpp>
#include <lathe/proto/trial_files.hpp>

#include "temporary_folder.hpp"

namespace lathe::trial {

/// What a run of the program left behind.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string error;
  std::vector<proto::MetricReport> metrics;
};

/// Four classes of 12 x 12 images (which quadrant is bright), and a net (conv1 1→8, conv2 8→12, fc1 108→32, fc2 32→4)
/// that was trained on them. Model and data are made once for all tests; every test has a trial folder of its own.
class TrialProgram : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  void SetUp() override;

  /// Runs `lathe-trial command`; variables are added to those of a trial, an empty value removes one.
  [[nodiscard]] Outcome run(const std::string& command, const std::map<std::string, std::string>& variables = {}) const;

  /// Runs one trial with these parameters.
  [[nodiscard]] Outcome run_trial(const std::string& parameters) const;

  [[nodiscard]] nlohmann::ordered_json read_json(const std::string& name) const;
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] const test::TemporaryFolder& folder() const { return folder_; }
  [[nodiscard]] static const test::TemporaryFolder& shared();

  proto::CompressionConfig config;  ///< written before each run

 private:
  static std::unique_ptr<test::TemporaryFolder> shared_;
  test::TemporaryFolder folder_;
};

}  // namespace lathe::trial
