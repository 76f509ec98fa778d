#include "hosts/log_requests.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {

namespace asio = boost::asio;

asio::awaitable<std::optional<proto::LogText>> LogRequests::answer_to(std::uint64_t request, std::string host,
                                                                      std::chrono::milliseconds limit) {
  const auto question =
      std::make_shared<Question>(Question{std::move(host), asio::steady_timer(executor_, limit), std::nullopt});
  (*questions_)[request] = question;
  const auto forget = [questions = questions_, request](const Question*) { questions->erase(request); };
  const std::unique_ptr<Question, decltype(forget)> asked(question.get(), forget);
  co_await question->over.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return std::move(question->text);
}

void LogRequests::answer(proto::LogText text) {
  const auto found = questions_->find(text.request);
  if (found == questions_->end()) return;
  found->second->text = std::move(text);
  found->second->over.cancel();
}

void LogRequests::host_gone(const std::string& host) {
  for (const auto& [request, question] : *questions_) {
    if (question->host == host) question->over.cancel();
  }
}

}  // namespace lathe::manager
