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
                             "/sub/%00", "/sub/app.js%00.png", "/.git/config", "//etc/passwd"}) {
    EXPECT_EQ(get(target).status, HttpStatus::not_found) << target;
  }
  for (const char* target : {"/link.txt", "/linked/secret", "/pipe", "/index.html/", "/sub"}) {
    EXPECT_EQ(get(target).body, "<p>home</p>") << target << " is no file that is served";
  }
}

TEST_F(StaticFiles, AnswersPagesWithTheIndexButNotMissingAssets) {
  const HttpResponse page = get("/experiments/abcd1234/trials");
  EXPECT_EQ(page.status, HttpStatus::ok);
  EXPECT_EQ(page.body, "<p>home</p>");
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("Cache-Control"), "no-cache");
  EXPECT_EQ(get("/hosts/ana%40a.lan%3A22").body, "<p>home</p>");
  EXPECT_EQ(get("/assets/gone-12345678.js").status, HttpStatus::not_found);
  fs::remove(root_ / "index.html");
  EXPECT_EQ(get("/experiments").status, HttpStatus::not_found);
}

TEST_F(StaticFiles, LetsClientsKeepHashedFiles) {
  fs::create_directories(root_ / "assets");
  for (const char* name : {"index-BxYz_12-.js", "a-b-0123456789.css", "index-BxYz1234.js.map"}) {
    write(root_ / "assets" / name, "x");
    EXPECT_EQ(get(std::string("/assets/") + name).header("Cache-Control"), "public, max-age=31536000, immutable")
        << name;
  }
  for (const char* name : {"index.js", "BxYz1234.js", "index-short.js", "index-BxY+1234.js"}) {
    write(root_ / "assets" / name, "x");
    EXPECT_EQ(get(std::string("/assets/") + name).header("Cache-Control"), "no-cache") << name;
  }
  write(root_ / "index-BxYz1234.js", "x");
  EXPECT_EQ(get("/index-BxYz1234.js").header("Cache-Control"), "no-cache") << "not an asset";
}

TEST_F(StaticFiles, SendsCompressedFormsToWhoTakesThem) {
  write(root_ / "index.html.gz", "gz");
  write(root_ / "sub/app.js.br", "br");
  write(root_ / "sub/app.js.gz", "gz");
  const auto encoded = [&](std::string_view target, std::string_view accepted) {
    HttpRequest request;
    EXPECT_TRUE(parse_target(target, request).has_value());
    request.headers.set("Accept-Encoding", std::string(accepted));
    return serve_static(root_, request);
  };
  const HttpResponse home = encoded("/trials", "gzip, deflate, br");
  EXPECT_EQ(home.body, "gz");
  EXPECT_EQ(home.header("Content-Encoding"), "gzip");
  EXPECT_EQ(home.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(home.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(encoded("/sub/app.js", "gzip, br").body, "br");
  EXPECT_EQ(encoded("/sub/app.js", "gzip;q=0.5, br;q=0").body, "gz");
  EXPECT_EQ(encoded("/sub/app.js", "identity").body, "let x;");
  EXPECT_EQ(encoded("/sub/app.js", "").header("Content-Encoding"), "");
  EXPECT_NE(encoded("/", "gzip").header("ETag"), encoded("/", "").header("ETag"));
}

TEST(AcceptEncoding, IsReadAsTheStandardSays) {
  EXPECT_TRUE(accepts_coding("br", "br"));
  EXPECT_TRUE(accepts_coding(" deflate ,\tgzip ; q=0.1", "gzip"));
  EXPECT_FALSE(accepts_coding("gzip;q=0.000", "gzip"));
  EXPECT_FALSE(accepts_coding("gzipped, x-gzip", "gzip"));
  EXPECT_FALSE(accepts_coding("", "gzip"));
  EXPECT_FALSE(accepts_coding(",,;q=1,", "gzip"));
}

}  // namespace
}  // namespace lathe::manager
