// SQLite's variadic calls for Swift, with fixed arguments. Imported by SQLiteStore only.
#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

/// SQLite keeps no account of the memory that it holds, which would cost every allocation a lock. Has no effect once SQLite is in use.
static inline void csqlite_do_not_count_memory(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

#endif
