/**
 * The questions of `mcp-oauth init`, asked on the terminal.
 */
import { createInterface } from 'node:readline/promises'

/** Whoever answers; each question has an answer for an empty line. */
export interface Answerer {
  ask(question: string, fallback: string): Promise<string>
  confirm(question: string): Promise<boolean>
  close(): void
}

/** The person at the terminal; undefined where there is none. */
export function createAnswerer(): Answerer | undefined {
  const { stdin: input, stderr: output } = process
  if (!input.isTTY || !output.isTTY) return undefined
  const lines = createInterface({ input, output })
  // Ctrl-D answers nothing, and must not hang.
  const gone = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new Error('nobody answers: nothing was written')))
  })
  gone.catch(() => {})
  const ask = (text: string) => Promise.race([lines.question(text), gone])
  return {
    async ask(question, fallback) {
      const answer = (await ask(`${question} [${fallback}] `)).trim()
      return answer === '' ? fallback : answer
    },
    async confirm(question) {
      return /^y(?:es)?$/i.test((await ask(`${question} [y/N] `)).trim())
    },
    close: () => lines.close(),
  }
}
