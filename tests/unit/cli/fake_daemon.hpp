// A daemon in the test's own process: answers each request from a table, one connection at a time, on a free port.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lathe::cli {

struct FakeAnswer {
  int status = 200;
  std::string body = "{}";
  std::string content_type = "application/json";
};

struct FakeRequest {
  std::string method;
  std::string target;
  std::string body;
  std::string last_event_id;
  std::string authorization;
};

class FakeDaemon {
 public:
  using Handler = std::function<FakeAnswer(const FakeRequest&)>;

  explicit FakeDaemon(Handler handler);
  ~FakeDaemon();

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<FakeRequest> requests() const;

 private:
  void serve();

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<FakeRequest> requests_;
  std::thread thread_;
};

}  // namespace lathe::cli
