import { answer } from './way_out.ts'

export default { fetch: answer }
