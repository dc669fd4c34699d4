export { sqlite, type SqliteOptions } from './stores/sqlite.ts'
export type {
  SqliteDatabase,
  SqliteResult,
  SqliteStatement,
  SqliteValue,
} from './stores/sqlite_database.ts'
export type { SqliteDurability } from './stores/sqlite_schema.ts'
