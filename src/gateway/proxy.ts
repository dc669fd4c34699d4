/**
 * One exchange with a backend: a request out, the answer back as it comes.
 *
 * Each side's leaving ends the other's: a client that goes aborts the backend's work, a backend that
 * breaks off breaks off the client. A reader that is slow slows the backend down, and no byte is kept
 * beyond what the sockets hold. Before the head of the answer is written a failure is only reported.
 */
import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Backend } from './backend.ts'
import { createEventBorder } from './event_border.ts'
import type { FlatHeaders } from './request_headers.ts'
import { judgeAnswer, type RefusedAnswer, type ResponseHeaders } from './response_headers.ts'
import { createWatchdog } from './watchdog.ts'

/** What is sent, and what becomes of the answer's headers. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path and query at the backend. */
  readonly path: string
  readonly headers: FlatHeaders
  readonly body: Uint8Array | undefined
  /** The answer's headers as the client gets them. */
  answerHeaders(headers: ResponseHeaders): ResponseHeaders
}

/** How an exchange ended. Only after `failed` is there still an answer to be written. */
export type Ending =
  | { readonly outcome: 'answered' | 'client_left' | 'broken_off' | 'stopped' }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly cause?: Error }

export type Failure = RefusedAnswer | 'unreachable' | 'slow'

export interface Exchange {
  readonly done: Promise<Ending>
  /** Whether the answer is an event stream that flows. */
  streaming(): boolean
  /** Ends it now: a stream with a last event that says why, anything else by breaking off. */
  stop(reason: string): void
}

/** Starts the exchange. `res` is written to only when the backend has answered acceptably. */
export function forward(backend: Backend, res: ServerResponse, call: Call): Exchange {
  const { timeouts } = backend
  const border = createEventBorder()
  let controller: Dispatcher.DispatchController | undefined
  let phase: 'waiting' | 'flowing' | 'flushing' | 'over' = 'waiting'
  let stream = false
  let resolve: (ending: Ending) => void
  const done = new Promise<Ending>((settle) => {
    resolve = settle
  })
  const watchdog = createWatchdog()

  function finish(ending: Ending): void {
    if (phase === 'over') return
    phase = 'over'
    watchdog.rest()
    res.off('close', onClose).off('drain', onDrain)
    controller?.abort(new Error('the exchange is over'))
    resolve(ending)
  }

  function fail(failure: Failure, cause?: Error): void {
    if (phase === 'waiting') finish({ outcome: 'failed', failure, ...(cause && { cause }) })
    else breakOff()
  }

  function breakOff(): void {
    if (phase === 'over') return
    res.destroy()
    finish({ outcome: 'broken_off' })
  }

  function onClose(): void {
    finish({ outcome: phase === 'flushing' && res.writableFinished ? 'answered' : 'client_left' })
  }

  function onDrain(): void {
    watchFlow()
    controller?.resume()
  }

  function watchFlow(): void {
    watchdog.watch(stream ? timeouts.stream : timeouts.idle, breakOff)
  }

  function begin(status: number, headers: ResponseHeaders): void {
    phase = 'flowing'
    res.writeHead(status, mutable(call.answerHeaders(headers)))
    if (stream) res.flushHeaders()
    watchFlow()
  }

  function endAnswer(): void {
    phase = 'flushing'
    watchdog.watch(timeouts.stall, breakOff)
    res.end(() => finish({ outcome: 'answered' }))
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started
      if (phase === 'over') started.abort(new Error('the exchange is over'))
    },
    onResponseStart(_, status, headers) {
      // Interim answers (RFC 9110 §15.2) are between the backend and us, and buy it no time.
      if (status < 200 || phase !== 'waiting') return
      const judged = judgeAnswer(call.method, status, headers)
      if (judged.outcome === 'refused') return fail(judged.reason)
      stream = judged.outcome === 'passed' && judged.stream
      border.encoded = headers['content-encoding'] !== undefined
      begin(status, judged.headers)
      if (judged.outcome === 'bodiless') endAnswer()
    },
    onResponseData(_, chunk) {
      if (phase !== 'flowing') return
      if (stream) border.pass(chunk)
      if (res.write(chunk)) return watchFlow()
      controller?.pause()
      watchdog.watch(timeouts.stall, breakOff)
    },
    onResponseEnd() {
      controller = undefined
      if (phase === 'flowing') endAnswer()
    },
    onResponseError(_, error) {
      controller = undefined
      if (phase !== 'flushing') fail('unreachable', error)
    },
  }

  res.on('close', onClose).on('drain', onDrain)
  watchdog.watch(timeouts.headers, () => fail('slow'))
  backend.pool.dispatch(
    {
      path: call.path,
      method: call.method,
      headers: [...call.headers],
      body: call.body ?? null,
      idempotent: false,
    },
    handler,
  )

  return {
    done,
    streaming: () => phase === 'flowing' && stream,
    stop(reason) {
      if (phase !== 'flowing' || !stream) return breakOff()
      res.end(border.lastEvent(reason))
      finish({ outcome: 'stopped' })
    },
  }
}

function mutable(headers: ResponseHeaders): { [name: string]: string | string[] } {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  )
}
