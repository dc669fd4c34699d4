/**
 * Random calls beside a model of the store: a map, written from the contract. One call at a time must be
 * answered as the model answers it; calls made at once as the model answers them in some order.
 * The randomness has fixed seeds, so that a failure comes again.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Store, Versioned } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { aloneSteps, createRandom, find, oneIdSteps, type Model, type Step } from './model_steps.ts'
import { assertSame, plain } from './samples.ts'

const STEPS = 400
const ROUNDS = 60
const AT_ONCE = 4

export const modelContract: readonly ContractTest[] = [
  ['ST-22 any sequence of calls, on either instance, is answered as by the model', inSequence],
  ['ST-22 MI-02 calls made at once on one id are answered as if made in some order', atOnce],
]

async function inSequence(store: Store, twin: Store): Promise<void> {
  for (const seed of [1, 2]) {
    const random = createRandom(seed)
    let model: Model = new Map()
    for (let at = 0; at < STEPS / 2; at += 1) {
      const step = aloneSteps(random, model)
      const [expected, next] = step.model(model)
      const answer = await step.call(random(2) === 0 ? store : twin)
      assertSame(
        { seed, at, step: step.title, answer },
        { seed, at, step: step.title, answer: expected },
      )
      model = next
    }
    await empty(store)
  }
}

async function atOnce(store: Store, twin: Store): Promise<void> {
  const random = createRandom(3)
  let model: Model = new Map()
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = `id ${random(3)}`
    const steps = Array.from({ length: AT_ONCE }, () => oneIdSteps(random, model, id))
    const answers = await Promise.all(
      steps.map((step, at) => step.call(at % 2 === 0 ? store : twin)),
    )
    const left = await store.find('grant', id)
    const after = findOrder(model, steps, answers, left, (held) => find('grant', id).model(held)[0])
    const titles = steps.map(({ title }, at) => `${title} gave ${JSON.stringify(answers[at])}`)
    assert.ok(after !== undefined, `round ${round} fits no order: ${titles.join('; ')}`)
    model = after
  }
}

/** What the model holds after `steps` in the order that gives these answers and leaves this row. */
function findOrder(
  model: Model,
  steps: readonly Step[],
  answers: readonly unknown[],
  left: Versioned<unknown> | undefined,
  rowOf: (model: Model) => unknown,
): Model | undefined {
  if (steps.length === 0) {
    return same(rowOf(model), left) ? model : undefined
  }
  for (const [at, step] of steps.entries()) {
    const [expected, next] = step.model(model)
    if (!same(expected, answers[at])) continue
    const found = findOrder(next, steps.toSpliced(at, 1), answers.toSpliced(at, 1), left, rowOf)
    if (found !== undefined) return found
  }
  return undefined
}

function same(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(plain(left), plain(right))
}

async function empty(store: Store): Promise<void> {
  for (const kind of ['grant', 'claim'] as const) {
    const { rows } = await store.scan(kind, { limit: 1000 })
    for (const { record } of rows) await store.take(kind, record.id)
  }
}
