/** Suites that need Python. */
import { spawnSync } from 'node:child_process'
import { suiteThatNeeds, type Suite } from '../support/suite_needs.ts'

export const pythonSuite: Suite = suiteThatNeeds(
  'python3',
  'python3',
  () => spawnSync('python3', ['--version']).error === undefined,
)
