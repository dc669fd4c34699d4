/** `npm run build`: what is published, into `dist`. */
import { build, give } from './set_up.js'

await build().catch(give)
