import { describe, expect, it } from 'vitest'
import { judgeKeys } from '../../src/crypto/keyring.ts'
import { FLAGS } from '../../src/gateway/flags.ts'
import { createLogSink } from '../../src/cli/log_sink.ts'
import { run } from './support.ts'

describe('help and version', () => {
  it.each([['--help'], ['-h'], ['help']])('%s tells the commands', async (flag) => {
    const { status, out, err } = await run([flag])
    expect([status, err]).toEqual([0, ''])
    expect(out).toContain('gateway')
    expect(out).toContain('keys generate')
  })

  it('gateway --help tells every flag, whatever else is wrong', async () => {
    const { status, out, err } = await run(['gateway', '--help'])
    expect([status, err]).toEqual([0, ''])
    for (const { name, onCommandLine } of FLAGS) {
      if (onCommandLine !== false) expect(out).toContain(`--${name}`)
    }
  })

  it('--version is the package’s', async () => {
    const { status, out } = await run(['--version'])
    expect(status).toBe(0)
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })
})

describe('keys', () => {
  it('generate prints one good key, a new one each time', async () => {
    const [one, two] = [await run(['keys', 'generate']), await run(['keys', 'generate'])]
    expect([one.status, one.err]).toEqual([0, ''])
    expect(judgeKeys([one.out.trim(), two.out.trim()])).toEqual([])
  })

  it('generate --env prints a line for an environment file', async () => {
    const { out } = await run(['keys', 'generate', '--env'])
    expect(out).toMatch(/^MCP_OAUTH_KEYS=mok_[\w-]{43}\n$/)
  })
})

describe('bad usage is 2, one line each', () => {
  it.each([
    [[], /name a command/],
    [['gatway'], /no such command; did you mean gateway\?/],
    [['keys'], /keys has two commands, generate and rotate/],
    [['keys', 'generat'], /did you mean generate\?/],
    [['keys', 'generate', '--envv'], /did you mean --env\?/],
    [['gateway', '--prot', '1'], /--prot is not known; did you mean --port\?/],
  ])('%j', async (args, fault) => {
    const { status, out, err } = await run(args)
    expect([status, out]).toEqual([2, ''])
    expect(err).toMatch(fault)
    for (const line of err.trim().split('\n')) expect(line).toMatch(/^mcp-oauth: /)
  })
})

describe('the way of log lines', () => {
  function createStream() {
    const stream = {
      writableLength: 0,
      lines: [] as string[],
      write: (text: string) => void stream.lines.push(text),
      on: () => undefined,
    }
    return stream
  }

  it('LG-07 lines that find no room are lost and counted', () => {
    const stream = createStream()
    const sink = createLogSink(stream)
    sink('one\n')
    stream.writableLength = 2e6
    for (const line of ['two\n', 'three\n']) sink(line)
    stream.writableLength = 0
    for (const line of ['four\n', 'five\n']) sink(line)
    expect(stream.lines).toEqual([
      'one\n',
      '{"level":"warn","event":"log_lost","lines":2}\n',
      'four\n',
      'five\n',
    ])
  })
})
