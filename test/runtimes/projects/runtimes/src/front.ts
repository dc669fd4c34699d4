/**
 * A Worker before the other, which goes away from it as a client does: after the milliseconds that the header
 * `leave-after` says, and says so with 499.
 */
declare const scheduler: { wait(milliseconds: number): Promise<void> }

interface Bindings {
  readonly MAIN: { fetch(request: Request, init?: RequestInit): Promise<Response> }
}

export default {
  async fetch(request: Request, { MAIN }: Bindings): Promise<Response> {
    const after = Number(request.headers.get('leave-after') ?? 0)
    if (after === 0) return await MAIN.fetch(request)
    const controller = new AbortController()
    const { signal } = controller
    const answered = MAIN.fetch(request, { signal }).then(async (response) => response.text())
    await scheduler.wait(after)
    controller.abort()
    return await answered.then(
      (text) => new Response(text),
      () => new Response(null, { status: 499 }),
    )
  },
}
