/** The key of every server of ours in the benchmark, so that replicas share it. It opens nothing elsewhere. */
import { createHash } from 'node:crypto'

export const KEY = `mok_${createHash('sha256').update('the benchmark').digest('base64url')}`
