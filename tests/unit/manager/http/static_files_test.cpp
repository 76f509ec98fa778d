#include "http/static_files.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

class StaticFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lathe-static-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    base_ = name;
    root_ = base_ / "webui";
    fs::create_directories(root_ / "sub");
    write(root_ / "index.html", "<p>home</p>");
    write(root_ / "sub/app.js", "let x;");
    write(base_ / "secret", "secret");
    fs::create_symlink(base_ / "secret", root_ / "link.txt");
    fs::create_directory_symlink(base_, root_ / "linked");
    ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  }
  void TearDown() override { fs::remove_all(base_); }

  static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

  HttpResponse get(std::string_view target, const std::string& tag = "") const {
    HttpRequest request;
    EXPECT_TRUE(parse_target(target, request).has_value());
    if (!tag.empty()) request.headers.set("If-None-Match", tag);
    return serve_static(root_, request);
  }

  fs::path base_;
  fs::path root_;
};

TEST_F(StaticFiles, ServesFilesWithTheirTypeAndPolicy) {
  const HttpResponse home = get("/");
  EXPECT_EQ(home.body, "<p>home</p>");
  EXPECT_EQ(home.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_NE(home.header("Content-Security-Policy").find("default-src 'self'"), std::string_view::npos);
  EXPECT_EQ(get("/sub/app.js").header("Content-Type"), "text/javascript; charset=utf-8");
}

TEST_F(StaticFiles, AnswersNotModifiedToWhoHasIt) {
  const std::string tag(get("/").header("ETag"));
  ASSERT_FALSE(tag.empty());
  EXPECT_EQ(get("/", tag).status, HttpStatus::not_modified);
  EXPECT_TRUE(get("/", tag).body.empty());
  write(root_ / "index.html", "<p>another</p>");
  EXPECT_EQ(get("/", tag).status, HttpStatus::ok);
}

TEST_F(StaticFiles, LetsNoPathLeadOut) {
  for (const char* target : {"/../secret", "/%2e%2e/secret", "/sub/../../secret", "/..%2fsecret", "/%2e%2e%2fsecret",
                             "/link.txt", "/linked/secret", "/pipe", "/sub/%00", "/index.html/", "/sub/app.js%00.png",
                             "/.git/config", "/sub", "/nothing", "//etc/passwd"}) {
    EXPECT_EQ(get(target).status, HttpStatus::not_found) << target;
  }
}

}  // namespace
}  // namespace lathe::manager
