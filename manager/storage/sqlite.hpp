// SQLite behind RAII: a connection, its cached prepared statements, a savepoint. One thread at a time per connection.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace lathe::manager {

/// What SQLite refused to do. `code` is its extended result code.
class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] int code() const { return code_; }
  /// The disk is full or failing, or memory is short: the same statement may succeed later.
  [[nodiscard]] bool is_transient() const;

 private:
  int code_;
};

/// A prepared statement while it is in use: bind in order, step, read columns by position. Reset when it dies.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept : statement_(other.statement_), bound_(other.bound_) {
    other.statement_ = nullptr;
  }
  Statement& operator=(Statement&&) = delete;

  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);  ///< copied
  Statement& bind(const char* value) { return bind(std::string_view(value)); }
  Statement& bind_null();
  template <class T>
  Statement& bind(const std::optional<T>& value) {
    if (!value) return bind_null();
    if constexpr (std::is_integral_v<T>)
      return bind(static_cast<std::int64_t>(*value));
    else
      return bind(*value);
  }

  /// True: a row is there to be read. False: no more rows.
  bool step();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] std::optional<double> optional_real(int column) const;

 private:
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

enum class Access { ReadWrite, ReadOnly };

class Connection {
 public:
  /// Opens (ReadWrite: creates) the file with WAL, synchronous FULL, foreign keys and a busy timeout. Throws
  /// SqliteError.
  Connection(const std::filesystem::path& file, Access access);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs statements without results, for schema and pragmas.
  void execute(const std::string& sql);

  /// The prepared form of `sql`, made once. The same text must not be in use twice at a time.
  [[nodiscard]] Statement prepare(const std::string& sql);

  /// False while a transaction is open.
  [[nodiscard]] bool in_autocommit() const;

  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> cache_;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back unless commit() was reached.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace lathe::manager
