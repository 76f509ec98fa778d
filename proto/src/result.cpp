#include <lathe/proto/result.hpp>

namespace lathe::proto {

std::string Error::to_string() const {
  std::string text;
  if (!file.empty()) text += file + ":";
  if (line > 0) text += (file.empty() ? "line " : "") + std::to_string(line) + ":";
  if (!text.empty()) text += " ";
  if (!field.empty()) text += field + ": ";
  return text + message;
}

std::string to_string(const Errors& errors) {
  std::string text;
  for (const Error& error : errors) {
    if (!text.empty()) text += '\n';
    text += error.to_string();
  }
  return text;
}

}  // namespace lathe::proto
