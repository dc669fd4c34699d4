/** The one Redis that all replicas share. */
import { Redis } from 'ioredis'

// Without a time limit a connection whose other end has vanished is noticed after many minutes.
export const database = new Redis(process.env['REDIS_URL'] ?? '', { socketTimeout: 5000 })
database.on('error', (error) => console.error(`Redis: ${error.message}`))
