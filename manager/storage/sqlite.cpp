#include "storage/sqlite.hpp"

#include <array>

#include <fmt/format.h>
#include <sqlite3.h>

namespace lathe::manager {

namespace {

constexpr int kBusyTimeoutMs = 10'000;

[[noreturn]] void raise(sqlite3* handle, const std::string& doing) {
  const int code = sqlite3_extended_errcode(handle);
  throw SqliteError(code, fmt::format("{}: {} (SQLite code {})", doing, sqlite3_errmsg(handle), code));
}

}  // namespace

bool SqliteError::is_transient() const {
  constexpr std::array codes{SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CANTOPEN};
  for (const int code : codes) {
    if ((code_ & 0xff) == code) return true;
  }
  return false;
}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::int64_t value) {
  if (sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

Statement& Statement::bind(double value) {
  if (sqlite3_bind_double(statement_, ++bound_, value) != SQLITE_OK) raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  const char* bytes = value.data() == nullptr ? "" : value.data();
  const int rc = sqlite3_bind_text64(statement_, ++bound_, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (rc != SQLITE_OK) raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

Statement& Statement::bind_null() {
  if (sqlite3_bind_null(statement_, ++bound_) != SQLITE_OK) raise(sqlite3_db_handle(statement_), "bind");
  return *this;
}

bool Statement::step() {
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  raise(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<double> Statement::optional_real(int column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

Connection::Connection(const std::filesystem::path& file, Access access) {
  const int flags = SQLITE_OPEN_NOMUTEX |
                    (access == Access::ReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  const int rc = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  if (rc != SQLITE_OK) {
    const std::string why = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(rc);
    sqlite3_close(handle_);
    throw SqliteError(rc, fmt::format("cannot open {}: {}", file.string(), why));
  }
  try {
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    if (access == Access::ReadWrite) execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Connection::~Connection() {
  for (const auto& [sql, statement] : cache_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

void Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) raise(handle_, sql);
}

Statement Connection::prepare(const std::string& sql) {
  const auto found = cache_.find(sql);
  if (found != cache_.end()) return Statement(found->second);
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(handle_, sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                    &statement, nullptr);
  if (rc != SQLITE_OK) raise(handle_, sql);
  cache_.emplace(sql, statement);
  return Statement(statement);
}

bool Connection::in_autocommit() const {
  return sqlite3_get_autocommit(handle_) != 0;
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // SQLite may have rolled back on its own, e.g. when the disk is full.
  if (!open_ || connection_.in_autocommit()) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const SqliteError&) {
    open_ = false;
  }
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace lathe::manager
