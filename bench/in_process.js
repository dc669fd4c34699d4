/** The server of the benchmark without HTTP: requests go to it as plain objects. For counting and profiling. */
import { createAuth } from './targets/ours_auth.js'

/** The server with one sign-in, and its store, which counts its calls by verb. */
export async function startInProcess(settings = { store: 'memory' }) {
  const calls = new Map()
  const counted = (store) =>
    new Proxy(store, {
      get(inner, verb) {
        if (typeof inner[verb] !== 'function') return inner[verb]
        return (...args) => {
          calls.set(verb, (calls.get(verb) ?? 0) + 1)
          return inner[verb](...args)
        }
      },
    })
  const { auth, seed } = await createAuth('http://127.0.0.1', settings, counted)
  return { auth, calls, seats: await seed(1) }
}

export function postRequest(path, type, text, headers = []) {
  const body = Buffer.from(text)
  return {
    method: 'POST',
    path,
    query: '',
    rawHeaders: ['Host', '127.0.0.1', 'Content-Type', type, ...headers],
    remoteAddress: '127.0.0.1',
    readBody: async () => body,
  }
}
