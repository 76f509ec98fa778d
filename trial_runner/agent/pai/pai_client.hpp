// Asks one PAI in one user's name: a few requests at a time, each with the token that its file holds now.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include <lathe/proto/result.hpp>

#include "children.hpp"
#include "pai/http_request.hpp"
#include "pai/pai_settings.hpp"
#include "pai/pai_times.hpp"

namespace lathe::agent {

/// The token in the file. An error: it cannot be read, others than its owner can read it, or it is none.
[[nodiscard]] proto::Result<std::string> read_token(const std::filesystem::path& file);

class PaiClient {
 public:
  PaiClient(boost::asio::io_context& io, Children& children, PaiAccess access, PaiTimes times);
  ~PaiClient();
  PaiClient(const PaiClient&) = delete;
  PaiClient& operator=(const PaiClient&) = delete;

  [[nodiscard]] const PaiAccess& access() const { return access_; }

  /// `done` is called once, from the loop, unless this is destroyed before.
  void submit(const std::string& protocol, HttpRequest::Done done);
  /// All jobs of the user whose names hold the text, as far as PAI can choose them.
  void list(const std::string& names, HttpRequest::Done done);
  void detail(const std::string& job, HttpRequest::Done done);
  void stop(const std::string& job, HttpRequest::Done done);
  void virtual_cluster(const std::string& name, HttpRequest::Done done);

 private:
  struct Waiting {
    HttpQuestion question;
    HttpRequest::Done done;
  };

  void ask(HttpQuestion question, HttpRequest::Done done);
  void next();
  void start(Waiting waiting);
  [[nodiscard]] proto::Result<TlsTrust> trust();
  [[nodiscard]] std::string job_path(const std::string& job) const;

  boost::asio::io_context& io_;
  Children& children_;
  PaiAccess access_;
  PaiTimes times_;
  TlsTrust trust_;  ///< null: not made yet
  std::deque<Waiting> waiting_;
  std::map<std::uint64_t, std::shared_ptr<HttpRequest>> running_;
  std::uint64_t next_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace lathe::agent
