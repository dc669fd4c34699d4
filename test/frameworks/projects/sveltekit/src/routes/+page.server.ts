import type { Actions } from './$types'

export const actions: Actions = { default: () => ({ sent: true }) }
