#include "path_resolver.hpp"

#include <cstdlib>
#include <string>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using ::testing::HasSubstr;

/// Sets an environment variable for the time of a test.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~ScopedVariable() {
    if (old_) {
      setenv(name_.c_str(), old_->c_str(), 1);
    } else {
      unsetenv(name_.c_str());
    }
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> old_;
};

class PathResolverTest : public ::testing::Test {
 protected:
  std::string resolved(const ordered_json& text, PathKind kind = PathKind::File) {
    Problems problems("");
    const auto path = resolver().resolve(Value(text, nullptr, Path("model")), kind, problems);
    error = to_string(problems.take_errors());
    EXPECT_EQ(path.has_value(), error.empty());
    return path ? path->string() : "";
  }

  [[nodiscard]] PathResolver resolver() const { return PathResolver({first.path(), second.path()}); }

  TemporaryFolder first;
  TemporaryFolder second;
  std::string error;
};

TEST_F(PathResolverTest, TakesTheFirstFolderThatHasThePath) {
  const fs::path in_second = second.write("a/model.pt", "x");
  EXPECT_EQ(resolved("a/model.pt"), in_second);
  const fs::path in_first = first.write("a/model.pt", "x");
  EXPECT_EQ(resolved("a/model.pt"), in_first);
}

TEST_F(PathResolverTest, MakesPathsNormal) {
  const fs::path file = first.write("a/model.pt", "x");
  EXPECT_EQ(resolved("./a/../a//model.pt"), file);
  EXPECT_EQ(resolved(file.string()), file);
  EXPECT_EQ(resolved("a/.", PathKind::Directory), first.path() / "a");
  EXPECT_EQ(resolved("a/", PathKind::Directory), first.path() / "a");
  EXPECT_EQ(resolved(".", PathKind::Directory), first.path());
  EXPECT_EQ(resolved("/", PathKind::Directory), "/");
}

TEST_F(PathResolverTest, ExpandsHomeAndVariables) {
  const fs::path file = first.write("data/model.pt", "x");
  const ScopedVariable home("HOME", first.path().string());
  const ScopedVariable data("LATHE_TEST_DATA", (first.path() / "data").string());
  const ScopedVariable name("LATHE_TEST_NAME", "model");
  EXPECT_EQ(resolved("~/data/model.pt"), file);
  EXPECT_EQ(resolved("~", PathKind::Directory), first.path());
  EXPECT_EQ(resolved("${LATHE_TEST_DATA}/${LATHE_TEST_NAME}.pt"), file);
}

TEST_F(PathResolverTest, RefusesVariablesThatAreNotThere) {
  const ScopedVariable empty("LATHE_TEST_EMPTY", "");
  resolved("${LATHE_TEST_UNSET}/x");
  EXPECT_THAT(error,
              HasSubstr("model: \"${LATHE_TEST_UNSET}/x\": the environment variable LATHE_TEST_UNSET is not set"));
  resolved("${LATHE_TEST_EMPTY}/x");
  EXPECT_THAT(error, HasSubstr("LATHE_TEST_EMPTY is not set"));
  for (const char* text : {"${", "${}", "${A", "${A-B}", "${1A}"}) {
    resolved(text);
    EXPECT_THAT(error, HasSubstr("expected ${NAME}")) << text;
  }
  resolved("~somebody/x");
  EXPECT_THAT(error, HasSubstr("~user is not supported"));
}

TEST_F(PathResolverTest, SaysWhereItLooked) {
  resolved("missing.pt");
  EXPECT_EQ(error, "model: \"missing.pt\": expected a file that can be read; it does not exist (looked in " +
                       first.path().string() + ", " + second.path().string() + ")");
  resolved("/missing/model.pt");
  EXPECT_THAT(error, HasSubstr("/missing/model.pt does not exist"));
}

TEST_F(PathResolverTest, TellsFilesFromFolders) {
  first.write("file", "x");
  fs::create_directory(first.path() / "folder");
  resolved("folder");
  EXPECT_THAT(error, HasSubstr("expected a file that can be read; it is not a regular file"));
  resolved("file", PathKind::Directory);
  EXPECT_THAT(error, HasSubstr("it is not a folder"));
  resolved("file/below");
  EXPECT_THAT(error, HasSubstr("expected a file that can be read"));
}

TEST_F(PathResolverTest, RefusesWhatIsNoPath) {
  for (const ordered_json& json : {ordered_json(3), ordered_json(""), ordered_json("  "),
                                   ordered_json(std::string("a\0b", 3)), ordered_json::array()}) {
    resolved(json);
    EXPECT_THAT(error, HasSubstr("model: expected a text that is not empty, found")) << json;
  }
  resolved(std::string(10'000, 'x'));
  EXPECT_THAT(error, HasSubstr("too long"));
}

TEST(PathResolver, NeedsAFolderForRelativePaths) {
  Problems problems("");
  const ordered_json text = "model.pt";
  EXPECT_FALSE(PathResolver({}).resolve(Value(text, nullptr, Path("model")), PathKind::File, problems));
  EXPECT_THAT(to_string(problems.take_errors()), HasSubstr("expected an absolute path"));
}

TEST(PathResolver, VerbatimTakesPathsAsTheyAre) {
  Problems problems("");
  const ordered_json absolute = "/nowhere/${NOT_EXPANDED}/~";
  const ordered_json relative = "model.pt";
  const PathResolver verbatim = PathResolver::verbatim();
  EXPECT_EQ(verbatim.resolve(Value(absolute, nullptr, Path()), PathKind::File, problems), absolute.get<std::string>());
  EXPECT_FALSE(verbatim.resolve(Value(relative, nullptr, Path()), PathKind::File, problems));
  EXPECT_THAT(to_string(problems.take_errors()), HasSubstr("expected an absolute path, found \"model.pt\""));
}

}  // namespace
}  // namespace lathe::proto
