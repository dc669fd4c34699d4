import express5, { type NextFunction, type Request, type Response } from 'express'
import express4 from 'express-4'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { protectExpress, toExpressHandler } from '../../src/adapters/express.ts'
import { call, signIn } from '../support/flow.ts'
import { callAfterSignIn, describeAdapter, startApp, type Mount } from './framework.ts'

type Guarded = IncomingMessage & { readonly auth?: unknown; readonly body?: unknown }

/** What the app does behind the guard. */
function answer(req: Guarded, res: { json(value: object): unknown }): void {
  const { auth, body } = req
  if ((body as { method?: string } | undefined)?.method === 'fail') {
    throw new Error('thrown by the handler')
  }
  res.json({ auth, body })
}

/** The parsers stand before us, behind us, or nowhere. */
type Parsers = 'none' | 'before' | 'behind'

function on5(parsers: Parsers): Mount {
  return (auth) => {
    const app = express5()
    if (parsers === 'before') app.use(express5.json(), express5.urlencoded({ extended: true }))
    app.use(toExpressHandler(auth))
    app.use('/mcp', protectExpress(auth))
    if (parsers === 'behind') app.use(express5.json())
    app.all('/mcp', (req, res) => answer(req, res))
    app.get('/hello', (_, res) => void res.send('hello'))
    app.use((error: Error, _: Request, res: Response, __: NextFunction) => {
      res.status(Reflect.get(error, 'status') ?? 418).send(error.message)
    })
    return app
  }
}

function on4(parsers: Parsers): Mount {
  return (auth) => {
    const app = express4()
    if (parsers === 'before') app.use(express4.json(), express4.urlencoded({ extended: true }))
    app.use(toExpressHandler(auth))
    app.use('/mcp', protectExpress(auth))
    if (parsers === 'behind') app.use(express4.json())
    app.all('/mcp', (req, res) => answer(req, res))
    app.get('/hello', (_, res) => void res.send('hello'))
    const onError: express4.ErrorRequestHandler = (error: Error, _, res, __) => {
      res.status(Reflect.get(error, 'status') ?? 418).send(error.message)
    }
    app.use(onError)
    return app
  }
}

for (const parsers of ['none', 'before', 'behind'] as const) {
  describeAdapter(`Express 5, parsers ${parsers}`, on5(parsers))
  describeAdapter(`Express 4, parsers ${parsers}`, on4(parsers))
}

describe.each([['5', express5] as const, ['4', express4 as unknown as typeof express5] as const])(
  'Express %s',
  (_, express) => {
    it('sees the whole path below a mount path', async () => {
      const mount: Mount = (auth) => {
        const app = express()
        const router = express.Router()
        router.all('/mcp', protectExpress(auth), (req, res) => answer(req, res))
        app.use('/below', toExpressHandler(auth), router)
        app.use(toExpressHandler(auth))
        return app
      }
      const answered = await callAfterSignIn(await startApp(mount, '/below'))
      expect(answered.status).toBe(200)
      expect(await answered.json()).toMatchObject({ auth: { extra: { user: { sub: 'ada' } } } })
    })

    it('says how to mend an app that has thrown the body away', async () => {
      const errors: string[] = []
      const mount: Mount = (auth) => {
        const app = express()
        app.use(toExpressHandler(auth))
        app.use((req, _res, next) => void req.resume().on('end', () => next()))
        app.post('/mcp', protectExpress(auth), (req, res) => answer(req, res))
        app.use((error: Error, _: Request, res: Response, __: NextFunction) => {
          errors.push(error.message)
          res.status(418).end()
        })
        return app
      }
      expect((await callAfterSignIn(await startApp(mount))).status).toBe(418)
      expect(errors).toEqual([expect.stringContaining('mount it before what reads bodies')])
    })

    it('takes no word of the caller about the message or about who calls', async () => {
      const mount: Mount = (auth) => {
        const app = express()
        app.use((req, _res, next) => next(void Object.assign(req, { auth: { scopes: ['all'] } })))
        app.use(toExpressHandler(auth))
        app.post('/mcp', protectExpress(auth, { required: false }), (req, res) => answer(req, res))
        return app
      }
      const app = await startApp(mount)
      expect(await (await call(app, undefined)).json()).not.toHaveProperty('auth')
      const { tokens } = await signIn(app)
      expect(await (await call(app, tokens.access_token)).json()).toHaveProperty('auth.extra')
    })
  },
)
