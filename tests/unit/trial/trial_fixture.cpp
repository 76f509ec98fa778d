#include "trial_fixture.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include <sys/wait.h>

#include <lathe/compression/model.hpp>
#include <lathe/compression/trainer.hpp>

#include "models.hpp"

namespace lathe::trial {
namespace {

constexpr int kSize = 12;
constexpr int kRecords = 360;

std::string big_endian(int value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(static_cast<unsigned>(value) >> shift & 0xFFU);
  return bytes;
}

/// Record i shows class i % 4: one quadrant brighter than the noise everywhere.
void write_data(const test::TemporaryFolder& folder) {
  std::string images = std::string("\0\0\x08\x03", 4) + big_endian(kRecords) + big_endian(kSize) + big_endian(kSize);
  std::string labels = std::string("\0\0\x08\x01", 4) + big_endian(kRecords);
  std::uint32_t state = 1;
  for (int i = 0; i < kRecords; ++i) {
    labels += static_cast<char>(i % 4);
    for (int pixel = 0; pixel < kSize * kSize; ++pixel) {
      const int quadrant = pixel / kSize / 6 * 2 + pixel % kSize / 6;
      state = state * 1664525U + 1013904223U;
      images += static_cast<char>((state >> 24) * 2 / 3 + (quadrant == i % 4 ? 60U : 0U));
    }
  }
  (void)folder.write("images", images);
  (void)folder.write("labels", labels);
}

torch::jit::Module make_net() {
  compression::test_models::Builder build(11);
  return build.net("Net",
                   {{"conv1", build.conv2d(1, 8)},
                    {"conv2", build.conv2d(8, 12)},
                    {"fc1", build.linear(108, 32)},
                    {"fc2", build.linear(32, 4)}},
                   R"(
def forward(self, x):
  x = torch.max_pool2d(torch.relu(self.conv1.forward(x)), [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = torch.relu(self.conv2.forward(x))
  x = torch.relu(self.fc1.forward(x.view([-1, 108])))
  return torch.log_softmax(self.fc2.forward(x), 1)
)");
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<proto::MetricReport> metrics_of(const std::string& bytes) {
  proto::MetricFrameReader reader;
  reader.feed(bytes);
  std::vector<proto::MetricReport> reports;
  while (const auto json = reader.next()) reports.push_back(proto::parse_metric(*json).value());
  EXPECT_EQ(reader.damaged(), 0);
  return reports;
}

}  // namespace

std::unique_ptr<test::TemporaryFolder> TrialProgram::shared_;

const test::TemporaryFolder& TrialProgram::shared() {
  return *shared_;
}

void TrialProgram::SetUpTestSuite() {
  shared_ = std::make_unique<test::TemporaryFolder>();
  write_data(*shared_);
  const auto data = compression::load_idx(shared().path() / "images", shared().path() / "labels", {0, 280}, {}).value();
  auto model = make_net();
  compression::TrainingOptions options;
  options.epochs = 12;
  options.batch_size = 20;
  options.optimizer.learning_rate = 0.05;
  options.optimizer.momentum = 0.9;
  ASSERT_TRUE(compression::train(model, data, options, nullptr, {}));
  model.eval();
  ASSERT_TRUE(compression::save_model(model, shared().path() / "model.pt"));
}

void TrialProgram::TearDownTestSuite() {
  shared_.reset();
}

void TrialProgram::SetUp() {
  const proto::IdxFiles files{shared().path() / "images", shared().path() / "labels"};
  config.model = shared().path() / "model.pt";
  config.input_shape = {1, 1, kSize, kSize};
  config.data.train = {files, {0, 280}};
  config.data.test = {files, {280, kRecords}};
  config.finetuning.epochs = 2;
  config.finetuning.batch_size = 20;
  config.finetuning.optimizer_args = {{"momentum", 0.9}};
  config.latency.runs = 5;
  config.latency.warmup = 1;
}

Outcome TrialProgram::run(const std::string& command, const std::map<std::string, std::string>& variables) const {
  (void)folder_.write("compression.json", proto::to_json(config).dump());
  std::map<std::string, std::string> environment{{"NNI_SYS_DIR", folder_.path()},
                                                 {"NNI_OUTPUT_DIR", folder_.path()},
                                                 {"NNI_TRIAL_JOB_ID", "abcde"},
                                                 {"LATHE_COMPRESSION_CONFIG", path("compression.json")},
                                                 {"OMP_WAIT_POLICY", "passive"}};
  for (const auto& [name, value] : variables) environment[name] = value;
  std::ostringstream line;
  line << "env -i";
  for (const auto& [name, value] : environment) {
    if (!value.empty()) line << " '" << name << "=" << value << "'";
  }
  line << " '" << LATHE_TRIAL_PROGRAM << "' " << command << " > '" << path("out").string() << "' 2> '"
       << path("err").string() << "'";
  const int status = std::system(line.str().c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(path("out")), text_of(path("err")),
          metrics_of(text_of(path(".nni/metrics")))};
}

Outcome TrialProgram::run_trial(const std::string& parameters) const {
  proto::ParameterRecord record;
  record.parameter_id = 7;
  record.parameters = nlohmann::ordered_json::parse(parameters);
  (void)folder_.write("parameter.cfg", proto::to_text(record));
  return run("");
}

nlohmann::ordered_json TrialProgram::read_json(const std::string& name) const {
  return nlohmann::ordered_json::parse(text_of(path(name)));
}

}  // namespace lathe::trial
