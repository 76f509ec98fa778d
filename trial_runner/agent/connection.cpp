#include "connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <string_view>
#include <utility>

namespace lathe::agent {

namespace asio = boost::asio;

void Connection::start() {
  wake();
  read();
}

void Connection::wake() {
  if (is_writing_ || handler_ == nullptr) return;
  output_ = handler_->next_frames();
  if (output_.empty()) return;
  is_writing_ = true;
  asio::async_write(socket_, asio::buffer(output_),
                    [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                      self->is_writing_ = false;
                      if (error) return self->fail(error.message());
                      self->wake();
                    });
}

void Connection::read() {
  socket_.async_read_some(asio::buffer(input_),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
                            if (error) return self->fail(error.message());
                            self->frames_.feed(std::string_view(self->input_.data(), count));
                            self->take_frames();
                            if (self->handler_ != nullptr) self->read();
                          });
}

void Connection::take_frames() {
  while (handler_ != nullptr) {
    const auto frame = frames_.next();
    if (!frame) return fail(frame.error().to_string());
    if (!*frame) return;
    const auto message = proto::decode_to_agent(**frame);
    if (!message) return fail("bad frame: " + message.error().to_string());
    handler_->on_message(*message);
  }
}

void Connection::fail(const std::string& reason) {
  ConnectionHandler* handler = handler_;
  close();
  if (handler != nullptr) handler->on_disconnected(reason);
}

void Connection::close() {
  handler_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace lathe::agent
