#include "environment.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blas_check.hpp"
#include "inspect.hpp"
#include "progress.hpp"
#include "temporary_folder.hpp"

namespace lathe::trial {
namespace {

using ::testing::HasSubstr;

Result<Environment> read(const std::map<std::string, std::string>& variables) {
  return read_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Environment, OutputDefaultsToTheTrialsFolder) {
  const test::TemporaryFolder folder;
  const auto environment = read({{"NNI_SYS_DIR", folder.path()}, {"LATHE_COMPRESSION_CONFIG", "/c.json"}});
  ASSERT_TRUE(environment) << environment.error().message;
  EXPECT_EQ(environment->output_directory, folder.path());
  EXPECT_FALSE(environment->baseline);
}

TEST(Environment, MissingVariablesAndFoldersAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(read({}).error().message, HasSubstr("NNI_SYS_DIR is not set"));
  EXPECT_THAT(read({{"NNI_SYS_DIR", "/no/such"}}).error().message, HasSubstr("/no/such, which is not a folder"));
  EXPECT_THAT(read({{"NNI_SYS_DIR", folder.path()}}).error().message, HasSubstr("LATHE_COMPRESSION_CONFIG"));
}

TEST(BlasCheck, WarnsOfTheReferenceOneOnly) {
  const auto warning = blas_warning("7f00 r-xp /usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0\n");
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, HasSubstr("apt install libopenblas0-pthread"));
  EXPECT_FALSE(blas_warning("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3\n/…/libopenblasp-r0.3.21.so\n"));
  EXPECT_FALSE(blas_warning("/opt/intel/libmkl_core.so.2"));
  EXPECT_FALSE(blas_warning("/opt/torch/lib/libtorch_cpu.so"));
}

TEST(Progress, TellsRateAndTimeLeft) {
  compression::TrainingProgress progress;
  progress.epoch = 1;
  progress.epochs = 3;
  progress.records_done = 500;
  progress.records = 1000;
  progress.loss = 0.25;
  EXPECT_EQ(progress_line(progress, 3.0), "epoch 2/3: 500/1000 records, loss 0.2500, 500 records/s, 3 s left");
}

TEST(Inspect, ShapesAreParsed) {
  EXPECT_EQ(parse_shape("1,1,28,28").value(), (compression::Shape{1, 1, 28, 28}));
  for (const char* bad : {"", "1,", ",1", "1,0", "1,-2", "1x28", "a", "1, 2", "99999999999999999999"}) {
    const auto shape = parse_shape(bad);
    ASSERT_FALSE(shape) << bad;
    EXPECT_THAT(shape.error().message, HasSubstr("like 1,1,28,28")) << bad;
  }
}

}  // namespace
}  // namespace lathe::trial
