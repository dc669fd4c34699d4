/** What one connection does again and again, by name: the generator finds it here. */
import { call, firstCall, guardProbe, openCall } from './call.js'
import { largeAnswer, largeBody } from './large.js'
import { refresh, refreshProbe } from './refresh.js'
import { codeProbe, signIn } from './sign_in.js'

export const UNITS = {
  call,
  codeProbe,
  firstCall,
  guardProbe,
  largeAnswer,
  largeBody,
  openCall,
  refresh,
  refreshProbe,
  signIn,
}
