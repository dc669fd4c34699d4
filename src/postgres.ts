export { postgres, type PostgresOptions } from './stores/postgres.ts'
export type {
  PostgresClient,
  PostgresEvent,
  PostgresNotification,
  PostgresPool,
  PostgresQuery,
} from './stores/postgres_pool.ts'
